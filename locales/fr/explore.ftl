# Accueil, exploration, recherche, premiers pas et référence de l’API.

home-lead = Trouvez une image, ou poussez la vôtre.
home-search = Nom, organisation ou mot
home-tag = Ou nommez une image que vous avez déjà
home-own = Vos espaces de noms
home-personal = Personnel
home-organisation = Organisation
home-popular = Les plus tirés
home-recent = Derniers envois
home-all-popular = Tout explorer
home-all-recent = Tous, par dernier envoi
home-more = Les premiers pas expliquent chaque étape, les nouvelles versions et le retour en arrière.

entry-pulls = { $n ->
    [one] { $count } tirage
   *[other] { $count } tirages
}
entry-stars = { $n ->
    [one] { $count } étoile
   *[other] { $count } étoiles
}
entry-pushed = envoi

explore-title = Explorer
explore-lead = Tous les dépôts que vous pouvez voir.
explore-order = Ordre
explore-popular = Les plus tirés
explore-recent = Derniers envois
explore-name = Par nom
explore-empty = Rien à voir ici pour l’instant
explore-empty-text = Ce qui est privé n’apparaît qu’aux personnes connectées qui y ont un rôle. Dans cet ordre, seul ce qui a été tiré ou poussé figure dans la liste ; l’ordre par nom montre tout.

search-title = Recherche
search-everywhere = Rechercher des dépôts
search-button = Rechercher
search-how = Saisissez un mot du nom, de l’organisation ou de la description. Le début d’un mot suffit, et une lettre peut être fausse.
search-count = { $n ->
    [0] Rien trouvé
    [one] Un dépôt
   *[other] { $count } dépôts
}
search-count-more = { $n ->
    [one] Le meilleur dépôt
   *[other] Les { $count } meilleurs dépôts
}
search-nearly = Rien ne contient ces mots tels que vous les avez saisis. Voici ce qui s’en approche.
search-empty-text = Essayez des mots plus courts ou moins nombreux. Ce qui est privé n’est trouvé que par qui peut le voir.
search-wider = Chercher partout
search-namespaces = Organisation
search-updated = Mise à jour
search-day = Dernier jour
search-week = Dernière semaine
search-month = Dernier mois
search-year = Dernière année

start-namespace = votre-nom
start-lead = De la première connexion à une nouvelle version, puis retour : chaque commande est prête à copier, avec { $host } dedans.
start-signed-out = Connectez-vous d’abord : les commandes porteront votre propre nom.
start-plain = Dites à Docker qu’il n’y a pas de TLS ici
start-plain-text = Ce registre est joint en HTTP simple. Docker le refuse tant que son démon n’a pas reçu d’autre consigne : ajoutez ceci à /etc/docker/daemon.json, puis redémarrez Docker. Ce qui passe sur le réseau peut alors être lu en chemin, mots de passe compris ; demandez un certificat à l’exploitant.
start-plain-podman = Les commandes podman ci-dessous le précisent d’elles-mêmes.
start-login = Se connecter
start-login-text = Saisissez votre nom et votre mot de passe. L’outil les retient pour ce registre.
start-token = Avec un second facteur, ou sur une machine que vous partagez, donnez un jeton à la place du mot de passe.
start-token-link = Vos jetons
start-build = Construire et nommer une image
start-name-text = Une image porte le nom du registre, de l’espace de noms auquel elle appartient, le sien propre, et une version. Remplacez my-app par le nom de votre choix :
start-tag-text = Ou donnez ce nom à une image que vous avez déjà :
start-push = La pousser
start-push-text = Ce que le registre possède déjà n’est pas renvoyé. Le premier envoi crée le dépôt ; tant que personne n’en décide autrement, il est visible comme son espace de noms le veut.
start-pull = La tirer ailleurs
start-pull-text = Sur toute machine connectée, ou sur n’importe laquelle si le dépôt est public :
start-versions = Publier une nouvelle version
start-versions-text = Un tag à trois nombres reste ce qu’il est. Les tags plus courts avancent : 1.1 vers la dernière correction de 1.1, 1 vers la dernière version qui ne casse rien, latest vers la plus récente de toutes.
start-versions-more = Qui ne veut que des corrections tire 1.1 ; qui veut exactement ce qui a été testé tire 1.1.0.
start-back = Revenir à l’ancienne version
start-back-text = L’ancienne version est toujours là, sous son propre tag. Faites de nouveau pointer latest vers elle :
start-back-more = Les positions passées d’un tag sont conservées : la page d’un tag montre son historique. Un condensat (sha256:…), lui, ne bouge jamais.
start-find = Trouver des images
start-find-text = Par la recherche en haut de chaque page, ou depuis la ligne de commande :
start-troubles = Quand quelque chose ne va pas
start-trouble-login = Vous n’êtes pas connecté ici, ou votre mot de passe a changé depuis. Connectez-vous de nouveau à { $host } ; avec un second facteur, donnez un jeton à la place du mot de passe.
start-trouble-denied = Vous ne pouvez pas pousser à cet endroit. Vérifiez l’espace de noms : c’est votre propre nom, ou une organisation dans laquelle un rôle vous permet de pousser.
start-trouble-tag = Aucune image de ce nom n’existe sur votre machine. Regardez ce qui s’y trouve avec docker images, puis donnez-lui le nom complet.
start-trouble-unknown = Le dépôt n’a pas ce tag. Sa page donne la liste de ceux qui existent ; sans tag, les outils demandent latest.
start-trouble-http = Le registre parle HTTP simple alors que l’outil attendait TLS. Podman accepte --tls-verify=false ; Docker doit l’apprendre dans /etc/docker/daemon.json, sous insecure-registries. Mieux : que l’exploitant installe un certificat.
start-trouble-certificate = Le certificat du registre vient d’une autorité que votre machine ne connaît pas. Placez le certificat de l’autorité dans /etc/docker/certs.d, dans un dossier au nom de ce registre, sous le nom ca.crt.
start-trouble-platform = L’image a été construite pour un autre type de processeur. Construisez-la avec docker buildx build et --platform pour chaque type, puis poussez une seule fois : chacun reçoit celle qui convient.

reference-title = Référence de l’API
reference-lead = Tout ce que font ces pages, des programmes peuvent le faire.
reference-begin = Pour commencer
reference-token = Créez un jeton dans votre compte, placez-le dans TOKEN, puis demandez :
reference-document = la même chose pour les programmes, OpenAPI 3.1, version { $version }
reference-operations = Opérations
reference-refusals = Quand un appel est refusé
reference-refusals-text = Toute opération peut répondre ainsi, avec la marche à suivre dans le champ detail :
reference-parameters = Paramètres
reference-name = Nom
reference-place = Où
reference-path = chemin
reference-query = requête
reference-required = obligatoire
reference-optional = facultatif
reference-about = Signification
reference-body = Corps
reference-answer = Réponse
reference-objects = Objets
reference-fields = Champs
reference-type = Type
