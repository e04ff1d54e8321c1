# The page of one image, or of another artifact.

image-views = Views of this image
image-overview = Overview
image-manifest = Manifest
image-config = Config
image-more-tags = and more
image-no-tags = No tag points to it: it is pulled by its digest.
image-pushed = pushed
image-pulls = { $n ->
    [0] never pulled
    [one] pulled once
   *[other] pulled { $count } times
}
image-layers-count = { $n ->
    [one] { $count } layer
   *[other] { $count } layers
}
image-layers-label = { $layers }, { $size } together
image-more = { $n ->
    [one] and one more
   *[other] and { $count } more
}
image-back = Back to the image

image-kind-index = Image for several platforms
image-kind-image = Image
image-kind-chart = Helm chart
image-kind-wasm = WebAssembly
image-kind-model = Model
image-kind-files = Files

image-platforms = Platforms
image-shown = Shown here:
image-child-absent = The index names an image for this platform that the registry does not hold: it was not pushed, or lies elsewhere.
image-pull = Pull by digest
image-layers = Layers
image-base = Shared with other repositories
image-own = Only here
image-layer-empty = Changes the configuration only
image-layer-unknown = No instruction is told
image-layers-unlike = The history does not fit the layers, so each is listed by itself.
image-shared = { $n ->
    [one] shared by one other repository
   *[other] shared by { $count } other repositories
}
image-shared-many = { $n ->
    [one] shared by one other repository or more
   *[other] shared by { $count } other repositories or more
}

image-configuration = Configuration
image-config-missing = The registry does not hold the configuration, or its bytes are damaged. Push the image again to restore it.
image-config-long = The configuration is too long to be shown.
image-platform = Platform
image-entrypoint = Entrypoint
image-command = Command
image-user = User
image-directory = Working directory
image-ports = Ports
image-volumes = Volumes
image-stop-signal = Stop signal
image-health = Health check
image-author = Author
image-created = Created
image-environment = Environment
image-labels = Labels
image-masked = hidden, since it looks secret
image-name = Name
image-value = Value
image-size = Size
image-digest = Digest

image-readme = README
image-values = Values that can be set
image-chart-long = The archive of this chart is too large to be looked into. Pull it to read its values.
image-chart-missing = The registry does not hold the archive of this chart, or its bytes are damaged. Push the chart again.
image-facts = What it says of itself
image-files = Files
image-file-kind = Kind
image-file-weights = Weights
image-file-license = Licence
image-file-settings = Settings
image-file-adapter = Adapter
image-file-projector = Projector
image-file-wasm = Module
image-file-provenance = Signature of the chart
image-file-chart = Chart
image-file-json = JSON
image-file-archive = Archive
image-file-text = Text

image-attached = Attached
image-attached-cosign = Signature (cosign)
image-attached-notation = Signature (notation)
image-attached-spdx = SBOM (SPDX)
image-attached-cyclonedx = SBOM (CycloneDX)
image-attached-sbom = SBOM
image-attached-provenance = Provenance (SLSA)
image-attached-vulnerabilities = Vulnerability report
image-attached-vex = VEX
image-attached-attestation = Attestation (in-toto)
image-attached-bundle = Sigstore bundle
image-attached-other = Something of no named type
image-attached-more = There is more than is shown here; the referrers API lists all of it.
image-attached-note = This says what was attached, not that it is valid: signatures are checked by cosign, notation, or whoever pulls.
image-annotations = Annotations
image-subject = Refers to
image-parents = Part of

image-json-raw = Download
image-json-long = It is too long to be shown here. Download it instead.
image-json-none = It is no JSON, so it is not shown here. Download it instead.
image-json-cut = The end is left out. Download it to see all of it.

image-delete = Delete
image-delete-title = Delete an image
image-delete-tags = Tags that go with it
image-delete-sure = This cannot be taken back
image-delete-text = The manifest and its tags go at once. Who pulls it by tag or digest gets an error from then on.
image-delete-parents = It cannot be deleted, because it is part of another one. Delete that first:
image-goes-tags = Tags that go
image-goes-bytes = Freed at most
image-goes-pulls = Used so far
image-stays-children = Images of the index that stay
image-stays-attached = Attached manifests that stay
done-image-deleted = The image was deleted.
