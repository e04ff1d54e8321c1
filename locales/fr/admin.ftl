# Administration.

admin-title = Administration
admin-tab-dashboard = Vue d’ensemble
admin-tab-users = Utilisateurs
admin-tab-organisations = Espaces de noms
admin-tab-audit = Audit
admin-tab-settings = Réglages
admin-health = Santé
admin-database = Base de données
admin-store = Stockage
admin-well = Répond
admin-ill = Ne répond pas
admin-unwell = Quelque chose ne répond pas. Regardez le journal du serveur, le disque et la base de données.
admin-used = Utilisé
admin-saved = Économisé par le partage des couches
admin-blobs = Blobs
admin-repositories = Dépôts
admin-tags = Tags
admin-users = Utilisateurs
admin-counting = Comptage en cours. Rechargez la page dans un instant.
admin-counted = Compté
admin-pulls = Pulls, 90 jours
admin-pulls-unit = Pulls
admin-pushes = Pushs, 90 jours
admin-pushes-unit = Pushs
admin-busiest = Les plus récupérés
admin-name = Nom
admin-email = Adresse électronique
admin-state = État
admin-since = Depuis
admin-acts = Actions
admin-display-name = Nom affiché
admin-administrator = Administrateur
admin-second-factor = Second facteur
admin-active = Actif
admin-deactivated = Fermé
admin-act-link = Créer un lien de nouveau mot de passe
admin-act-reset-second-factor = Retirer le second facteur
admin-act-admin = Nommer administrateur
admin-act-no-admin = Ne plus être administrateur
admin-act-deactivate = Fermer le compte
admin-act-activate = Rouvrir le compte
admin-link = Donnez ce lien à { $name }. Il n’est montré qu’une fois et permet de choisir un mot de passe.
admin-add = Ajouter un utilisateur
admin-add-text = Le compte commence sans mot de passe. Vous obtenez un lien, par lequel son propriétaire en choisit un.
admin-new-organisation = Nouvelle organisation
admin-owner = Appartient à
admin-default = Les nouveaux dépôts sont
admin-owner-organisation = Une organisation
admin-owner-user = Un utilisateur
admin-owner-none = Personne : administrateurs seulement
admin-actor = Qui
admin-action = Action
admin-action-help = tag.move, ou tag. pour tout ce qui touche aux tags
admin-repository = Dépôt
admin-search = Rechercher
admin-when = Quand
admin-what = Quoi
admin-from = Depuis
admin-banner = Bandeau
admin-banner-help = Une ligne que tout le monde voit au-dessus de chaque page. Vide : aucune.
admin-read-only = Lecture seule
admin-read-only-help = Les pulls continuent ; les pushs, suppressions et autres changements sont refusés, et rien n’est nettoyé, tant que la case est cochée.
admin-save = Enregistrer
admin-configuration = Tout le reste est dans la configuration. Pour voir ce qui s’applique, et d’où cela vient, tapez :
done-changed = Modifié.
admin-pulled = { $n ->
    [one] { $count } pull
   *[other] { $count } pulls
}
admin-audit-text = { $n ->
    [one] { $count } événement est chaîné. Pour prouver qu’aucun n’a été altéré, tapez havre audit verify.
   *[other] { $count } événements sont chaînés. Pour prouver qu’aucun n’a été altéré, tapez havre audit verify.
}
