# Le cadre de toutes les pages et les composants qu’elles partagent.

product = Havre
skip = Aller au contenu
optional = (facultatif)
apply = Appliquer
cancel = Annuler

nav-main = Principale
nav-more = Autres liens
nav-menu = Menu
nav-explore = Explorer
nav-getting-started = Premiers pas
nav-sign-in = Se connecter
nav-sign-up = Créer un compte
nav-sign-out = Se déconnecter
nav-account = Compte
nav-my-repositories = Mes dépôts
nav-admin = Administration
nav-api = API

search-label = Rechercher des images
search-placeholder = Rechercher des images
search-results = Résultats
search-none = Aucun résultat. Appuyez sur Entrée pour chercher partout.

language = Langue
language-en = English
language-fr = Français
theme = Thème
theme-auto = Celui du système
theme-light = Clair
theme-dark = Sombre

copy = Copier
copied = Copié
command-tool = Outil
breadcrumb = Emplacement de cette page
pager = Pages
pager-first = Première page
pager-next = Suivante
day = Jour

pulls-count = { $n ->
    [one] { $count } téléchargement
   *[other] { $count } téléchargements
}
stars-count = { $n ->
    [one] { $count } étoile
   *[other] { $count } étoiles
}

severity-critical = { $n ->
    [one] { $count } critique
   *[other] { $count } critiques
}
severity-high = { $n ->
    [one] { $count } élevée
   *[other] { $count } élevées
}
severity-medium = { $n ->
    [one] { $count } moyenne
   *[other] { $count } moyennes
}
severity-low = { $n ->
    [one] { $count } faible
   *[other] { $count } faibles
}

badge-robot = robot
badge-private = Privé
badge-internal = Interne
badge-public = Public
badge-official = Officiel
badge-verified = Vérifié
badge-deprecated = Obsolète
badge-prerelease = Préversion
badge-immutable = Immuable
badge-signed = Signée

preview-show = Aperçu
preview-edit = Modifier
danger-type = Pour confirmer, saisissez
secret-title = Votre secret
secret-once = Copiez ce secret maintenant : il n’est affiché qu’une seule fois.
secret-use = Pour vous connecter avec ce secret :
