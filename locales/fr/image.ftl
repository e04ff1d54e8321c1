# La page d’une image, ou d’un autre artefact.

image-views = Vues de cette image
image-overview = Aperçu
image-manifest = Manifeste
image-config = Configuration (JSON)
image-more-tags = et d’autres
image-no-tags = Aucun tag ne mène à elle : on la tire par son condensat.
image-pushed = poussée
image-pulls = { $n ->
    [0] jamais tirée
    [one] tirée { $count } fois
   *[other] tirée { $count } fois
}
image-layers-count = { $n ->
    [one] { $count } couche
   *[other] { $count } couches
}
image-layers-label = { $layers }, { $size } en tout
image-more = { $n ->
    [one] et { $count } autre
   *[other] et { $count } autres
}
image-back = Retour à l’image

image-kind-index = Image pour plusieurs plateformes
image-kind-image = Image
image-kind-chart = Chart Helm
image-kind-wasm = WebAssembly
image-kind-model = Modèle
image-kind-files = Fichiers

image-platforms = Plateformes
image-shown = Affichée ici :
image-child-absent = L’index nomme pour cette plateforme une image que le registre ne détient pas : elle n’a pas été poussée, ou se trouve ailleurs.
image-pull = Tirer par condensat
image-layers = Couches
image-base = Partagé avec d’autres dépôts
image-own = Seulement ici
image-layer-empty = Ne change que la configuration
image-layer-unknown = Aucune instruction n’est indiquée
image-layers-unlike = L’historique ne correspond pas aux couches : chacun est donc listé à part.
image-shared = { $n ->
    [one] partagée par { $count } autre dépôt
   *[other] partagée par { $count } autres dépôts
}
image-shared-many = { $n ->
    [one] partagée par { $count } autre dépôt ou plus
   *[other] partagée par { $count } autres dépôts ou plus
}

image-configuration = Configuration
image-config-missing = Le registre ne détient pas la configuration, ou ses octets sont endommagés. Poussez de nouveau l’image pour la rétablir.
image-config-long = La configuration est trop longue pour être affichée.
image-platform = Plateforme
image-entrypoint = Point d’entrée
image-command = Commande
image-user = Utilisateur
image-directory = Répertoire de travail
image-ports = Ports
image-volumes = Volumes
image-stop-signal = Signal d’arrêt
image-health = Contrôle de santé
image-author = Auteur
image-created = Création
image-environment = Environnement
image-labels = Labels
image-masked = masquée, car elle semble secrète
image-name = Nom
image-value = Valeur
image-size = Taille
image-digest = Condensat

image-readme = README
image-values = Valeurs modifiables
image-chart-long = L’archive de ce chart est trop grande pour être ouverte ici. Tirez-la pour lire ses valeurs.
image-chart-missing = Le registre ne détient pas l’archive de ce chart, ou ses octets sont endommagés. Poussez de nouveau le chart.
image-facts = Ce qu’il dit de lui-même
image-files = Fichiers
image-file-kind = Type
image-file-weights = Poids
image-file-license = Licence
image-file-settings = Réglages
image-file-adapter = Adaptateur
image-file-projector = Projecteur
image-file-wasm = Module
image-file-provenance = Signature du chart
image-file-chart = Chart
image-file-json = JSON
image-file-archive = Archive
image-file-text = Texte

image-attached = Rattachés
image-attached-cosign = Signature (cosign)
image-attached-notation = Signature (notation)
image-attached-spdx = SBOM (SPDX)
image-attached-cyclonedx = SBOM (CycloneDX)
image-attached-sbom = SBOM
image-attached-provenance = Provenance (SLSA)
image-attached-vulnerabilities = Rapport de vulnérabilités
image-attached-vex = VEX
image-attached-attestation = Attestation (in-toto)
image-attached-bundle = Paquet Sigstore
image-attached-other = Élément sans type nommé
image-attached-more = Il y en a plus que ce qui est affiché ici ; l’API des référents les liste tous.
image-attached-note = Cela dit ce qui a été rattaché, non que c’est valide : les signatures sont vérifiées par cosign, par notation ou par qui tire l’image.
image-annotations = Annotations
image-subject = Se rapporte à
image-parents = Fait partie de

image-json-raw = Télécharger
image-json-long = C’est trop long pour être affiché ici. Téléchargez-le plutôt.
image-json-none = Ce n’est pas du JSON, donc rien n’est affiché ici. Téléchargez-le plutôt.
image-json-cut = La fin manque. Téléchargez le document pour tout voir.

image-delete = Supprimer
image-delete-title = Supprimer une image
image-delete-tags = Tags qui partent avec elle
image-delete-sure = C’est irréversible
image-delete-text = Le manifeste et ses tags disparaissent aussitôt. Qui la tire par tag ou par condensat reçoit dès lors une erreur.
image-delete-parents = Elle ne peut pas être supprimée, car elle fait partie d’une autre. Supprimez d’abord celle-ci :
image-goes-tags = Tags qui partent
image-goes-bytes = Libéré au plus
image-goes-pulls = Usage jusqu’ici
image-stays-children = Images de l’index qui restent
image-stays-attached = Manifestes rattachés qui restent
done-image-deleted = L’image a été supprimée.
