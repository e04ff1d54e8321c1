# Un dépôt, ses tags, l’un d’eux, deux images comparées.

repository-star = Ajouter une étoile
repository-unstar = Étoile donnée
repository-edit = Modifier la description
repository-licence = Licence :
repository-pull = Récupérer cette image
repository-tag = Tag
repository-show = Afficher
repository-tag-history = Historique de ce tag
repository-by-digest = Récupérer exactement cette image
repository-by-digest-text = Un tag peut être déplacé vers une autre image. Un condensat (digest) donne toujours la même.
repository-empty = Pas encore de tag
repository-empty-text = Poussez la première image, et cette page dira comment la récupérer :
repository-readme = À propos de ce dépôt
repository-readme-from-image = Repris de l’image, qui se décrit elle-même.
repository-no-readme = Pas encore de README
repository-no-readme-write = Dites à quoi sert cette image, quels tags existent et comment la démarrer.
repository-no-readme-text = Personne n’a encore décrit ce dépôt.
repository-write-readme = Écrire un README
repository-facts = En bref
repository-stable = Dernière version stable
repository-pushed = Dernier envoi
repository-platforms = Plateformes
repository-size = Taille à récupérer
repository-layers = { $n ->
    [one] { $count } couche
   *[other] { $count } couches
}
repository-pulls = Téléchargements
repository-pulls-recent = { $count } en 90 jours
repository-chart = Téléchargements des 90 derniers jours, jour par jour

link-source = Code source
link-documentation = Documentation
link-url = Site

describe-title = Décrire ce dépôt
describe-line = En une ligne
describe-line-help = Ce que c’est, en 256 caractères au plus. Les listes et les recherches l’affichent.
describe-readme = README
describe-readme-help = Markdown, 256 Kio au plus. Le HTML est omis ; les images deviennent des liens. Laissez vide pour reprendre la description de l’image.
describe-save = Enregistrer
describe-refused = Enregistrement impossible : la ligne accepte 256 caractères sans retour à la ligne, le README 256 Kio.
done-described = La description est enregistrée.

tags-title = Tags
tags-heading = Tags de { $name }
tags-none = Pas encore de tag
tags-none-text = Un tag est le nom d’une version, comme 1.0.0. Le premier envoi en crée un :
tags-none-found = Aucun tag de ce genre
tags-none-found-text = Rien ne correspond à votre recherche. Élargissez-la, ou retirez le filtre.
tags-filter = Filtrer les tags
tags-apply = Filtrer
tags-reset = Tous les tags
tags-kind = Genre
tags-kind-all = Tous les genres
tags-kind-stable = Versions stables
tags-kind-pre = Préversions
tags-kind-date = Dates
tags-kind-moving = Environnements, branches
tags-kind-other = Autres noms
tags-kind-commit = Commits
tags-kind-attached = Signatures et semblables
tags-platform = Plateforme
tags-platform-all = Toutes les plateformes
tags-order-newest = Il y a plus de { $count } tags ici : les derniers poussés viennent en tête, et non la version la plus haute.
tags-order-name = Il y a plus de { $count } tags ici : ceux-ci commencent par votre saisie, dans l’ordre de leurs noms.
tags-compare = En comparer deux
tags-compare-do = Comparer
tags-delete = Supprimer…
tags-pick = Choix
tags-pick-one = Choisir { $name }
tags-pick-help = Cochez des tags, puis comparez-les ou supprimez-les.
tags-tags = Tags
tags-image = Image
tags-platforms = Plateformes
tags-size = Taille
tags-pushed = Poussé
tags-pulled = Dernière récupération
tags-never = jamais
tags-more = et { $count } de plus

delete-title = Supprimer des tags
delete-text = { $n ->
    [one] Le tag coché disparaît aussitôt. L’image reste et peut être récupérée par son condensat.
   *[other] Les { $count } tags cochés disparaissent aussitôt. Les images restent et peuvent être récupérées par leurs condensats.
}
delete-bare = { $n ->
    [one] Une image ne garde aucun tag : notez son condensat si vous en avez encore besoin.
   *[other] { $count } images ne gardent aucun tag : notez leurs condensats si vous en avez encore besoin.
}
delete-never-pulled = Jamais récupérée par ces tags
delete-stays = Il ne reste aucun tag : l’image demeure sous son condensat.
delete-do = Supprimer les tags cochés
done-tags-deleted = Les tags sont supprimés. Leurs images restent accessibles par condensat.
done-tags-partly-deleted = Une partie des tags est supprimée. Les autres avaient été déplacés ou supprimés entre-temps et n’ont pas été touchés.
done-tags-kept = Rien n’a été supprimé : aucun tag n’était coché, ou ils avaient été déplacés entre-temps.

tag-delete = Supprimer…
tag-points-to = Désigne
tag-image = Voir l’image
tag-others = Même image
tag-others-count = { $n ->
    [one] { $count } autre tag
   *[other] { $count } autres tags
}
tag-not-there = Ce tag n’existe plus. Remettez-le sur l’une des images qu’il désignait.
tag-history = Historique
tag-history-text = Ce que le tag désignait, du plus récent au plus ancien. Le remettre le déplace comme le ferait un envoi, et laisse la même trace.
tag-history-none = Rien n’a été consigné.
tag-when = Quand
tag-what = Quoi
tag-to = Vers
tag-from = Depuis
tag-who = Qui
tag-act = Remettre
tag-made = Créé
tag-moved = Déplacé
tag-deleted = Supprimé
tag-current = actuel
tag-gone = supprimée depuis
tag-put-back = Remettre ici
done-tag-put-back = Le tag désigne de nouveau cette image.

compare-title = Comparer deux images
compare-pick = Choisissez deux tags.
compare-one = La première
compare-other = La seconde
compare-too-few = Rien à comparer
compare-too-few-text = Il faut deux images qui ont des tags.
compare-unknown = { $name } n’existe pas ici. Choisissez un autre tag.
compare-swap = Intervertir
compare-same = C’est la même image.
compare-layers = Couches
compare-layer = Couche
compare-where = Où
compare-shared = Dans les deux
compare-added = Seulement dans la seconde
compare-removed = Seulement dans la première
compare-settings = Configuration
compare-settings-same = Aucune différence dans ce qui peut être montré. Les valeurs qui semblent secrètes ne sont pas comparées.
compare-setting = Réglage
compare-masked = masqué
compare-absent = non défini

setting-entrypoint = Point d’entrée
setting-command = Commande
setting-directory = Répertoire de travail
setting-user = Utilisateur
setting-ports = Ports
setting-volumes = Volumes
setting-signal = Signal d’arrêt
setting-variable = Variable
setting-label = Label

event-repository-star = { $actor } a donné une étoile à { $repository }
event-repository-unstar = { $actor } a repris son étoile à { $repository }
