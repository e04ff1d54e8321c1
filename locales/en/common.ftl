# The frame of every page and the components that pages share.

product = Havre
skip = Skip to the content
optional = (optional)
apply = Apply
cancel = Cancel

nav-main = Main
nav-more = More
nav-menu = Menu
nav-explore = Explore
nav-getting-started = Getting started
nav-sign-in = Sign in
nav-sign-up = Create an account
nav-sign-out = Sign out
nav-account = Account
nav-my-repositories = My repositories
nav-admin = Administration
nav-api = API

search-label = Search images
search-placeholder = Search images
search-results = Results
search-none = Nothing found. Press Enter to search everywhere.

language = Language
language-en = English
language-fr = Français
theme = Theme
theme-auto = As the system
theme-light = Light
theme-dark = Dark

copy = Copy
copied = Copied
command-tool = Tool
breadcrumb = Where this page is
pager = Pages
pager-first = First page
pager-next = Next
day = Day

pulls-count = { $n ->
    [one] { $count } pull
   *[other] { $count } pulls
}
stars-count = { $n ->
    [one] { $count } star
   *[other] { $count } stars
}

severity-critical = { $n ->
   *[other] { $count } critical
}
severity-high = { $n ->
   *[other] { $count } high
}
severity-medium = { $n ->
   *[other] { $count } medium
}
severity-low = { $n ->
   *[other] { $count } low
}

badge-robot = robot
badge-private = Private
badge-internal = Internal
badge-public = Public
badge-official = Official
badge-verified = Verified
badge-deprecated = Deprecated
badge-prerelease = Pre-release
badge-immutable = Immutable
badge-signed = Signed

preview-show = Preview
preview-edit = Edit
danger-type = To confirm, type
secret-title = Your secret
secret-once = Copy this secret now: it is shown only once.
secret-use = Sign in with it:
