# Home, explore, search, getting started and the API reference.

home-lead = Find an image, or push your own.
home-search = Name, organisation or word
home-tag = Or name an image that you have
home-own = Your namespaces
home-personal = Personal
home-organisation = Organisation
home-popular = Pulled most
home-recent = Pushed last
home-all-popular = Explore all
home-all-recent = All, by last push
home-more = Getting started explains each step, new versions, and how to go back.

entry-pulls = { $n ->
    [one] { $count } pull
   *[other] { $count } pulls
}
entry-stars = { $n ->
    [one] { $count } star
   *[other] { $count } stars
}
entry-pushed = pushed

explore-title = Explore
explore-lead = Every repository that you may see.
explore-order = Order
explore-popular = Pulled most
explore-recent = Pushed last
explore-name = By name
explore-empty = Nothing to see here yet
explore-empty-text = What is private is shown to those who have signed in and hold a role. In this order only what was pulled or pushed is listed; the order by name lists everything.

search-title = Search
search-everywhere = Search repositories
search-button = Search
search-how = Type a word of the name, of the organisation or of the description. The beginning of a word is enough, and a letter may be wrong.
search-count = { $n ->
    [0] Nothing found
    [one] One repository
   *[other] { $count } repositories
}
search-count-more = { $n ->
    [one] The best one
   *[other] The best { $count } repositories
}
search-nearly = Nothing has these words as you typed them. These come near.
search-empty-text = Try fewer or shorter words. What is private is found by those who may see it.
search-wider = Search everywhere
search-namespaces = Organisation
search-updated = Updated
search-day = Past day
search-week = Past week
search-month = Past month
search-year = Past year

start-namespace = your-name
start-lead = From your first login to a new version, and back: each command is ready to copy, with { $host } in it.
start-signed-out = Sign in first, and the commands carry your own name.
start-plain = Tell Docker that there is no TLS here
start-plain-text = This registry is reached by plain HTTP. Docker refuses that until its daemon is told otherwise: add this to /etc/docker/daemon.json, then restart Docker. What goes over the network can then be read on its way, passwords too; ask the operator for a certificate.
start-plain-podman = The podman commands below say so themselves.
start-login = Log in
start-login-text = Type your name and your password. The tool remembers them for this registry.
start-token = With a second factor, or on a machine that is not yours alone, give a token instead of the password.
start-token-link = Your tokens
start-build = Build and name an image
start-name-text = An image is named by the registry, the namespace it belongs to, what it is called, and a version. Choose any name for my-app:
start-tag-text = Or give the name to an image that you have already:
start-push = Push it
start-push-text = What the registry has already is not sent again. The repository is made by the first push; as long as nobody says otherwise, it is as visible as its namespace wants.
start-pull = Pull it elsewhere
start-pull-text = On any machine that has logged in, or on every machine if the repository is public:
start-versions = Publish a new version
start-versions-text = A tag with three numbers stays what it is. Shorter tags move along: 1.1 to the newest repair of 1.1, 1 to the newest version that breaks nothing, latest to the newest of all.
start-versions-more = Whoever wants repairs only pulls 1.1; whoever wants exactly what was tested pulls 1.1.0.
start-back = Go back to the old version
start-back-text = The old version is still there under its own tag. Point latest to it again:
start-back-more = Where a tag has pointed before is kept: the page of a tag shows its history. A digest (sha256:…) never moves at all.
start-find = Find images
start-find-text = By the search on top of every page, or from the command line:
start-troubles = When something goes wrong
start-trouble-login = You are not logged in here, or your password has changed since. Log in to { $host } again; with a second factor, give a token instead of the password.
start-trouble-denied = You may not push there. Check the namespace in the name: it is your own name, or an organisation in which you hold a role that lets you push.
start-trouble-tag = There is no image with that name on your machine. Look at what there is with docker images, and tag it with the whole name.
start-trouble-unknown = The repository has no such tag. Its page lists those that there are; without a tag, tools ask for latest.
start-trouble-http = The registry speaks plain HTTP and the tool expected TLS. Podman takes --tls-verify=false; Docker has to be told in /etc/docker/daemon.json under insecure-registries. Better: have the operator set up a certificate.
start-trouble-certificate = The registry’s certificate comes from an authority that your machine does not know. Put the authority’s certificate at /etc/docker/certs.d, in a folder named after this registry, as ca.crt.
start-trouble-platform = The image was built for another kind of processor. Build it with docker buildx build and --platform for each kind, then push once: everybody gets the one that fits.

reference-title = API reference
reference-lead = Everything that these pages do can be done by programs.
reference-begin = How to begin
reference-token = Make a token in your account, put it into TOKEN, and ask:
reference-document = the same for programs, OpenAPI 3.1, version { $version }
reference-operations = Operations
reference-refusals = When a call is refused
reference-refusals-text = Any operation may answer so, with what to do about it in the field detail:
reference-parameters = Parameters
reference-name = Name
reference-place = Where
reference-path = path
reference-query = query
reference-required = required
reference-optional = optional
reference-about = Meaning
reference-body = Body
reference-answer = Answer
reference-objects = Objects
reference-fields = Fields
reference-type = Type
