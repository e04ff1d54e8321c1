# Administration.

admin-title = Administration
admin-tab-dashboard = Overview
admin-tab-users = Users
admin-tab-organisations = Namespaces
admin-tab-audit = Audit
admin-tab-settings = Settings
admin-health = Health
admin-database = Database
admin-store = Store
admin-well = Answers
admin-ill = Does not answer
admin-unwell = Something does not answer. Look into the server’s log, and at the disk and the database.
admin-used = Used
admin-saved = Saved by sharing layers
admin-blobs = Blobs
admin-repositories = Repositories
admin-tags = Tags
admin-users = Users
admin-counting = Being counted. Load the page again in a moment.
admin-counted = Counted
admin-pulls = Pulls, 90 days
admin-pulls-unit = Pulls
admin-pushes = Pushes, 90 days
admin-pushes-unit = Pushes
admin-busiest = Pulled most
admin-name = Name
admin-email = E-mail
admin-state = State
admin-since = Since
admin-acts = Actions
admin-display-name = Display name
admin-administrator = Administrator
admin-second-factor = Second factor
admin-active = Active
admin-deactivated = Closed
admin-act-link = Make a link to a new password
admin-act-reset-second-factor = Take the second factor off
admin-act-admin = Make administrator
admin-act-no-admin = No longer administrator
admin-act-deactivate = Close the account
admin-act-activate = Open the account again
admin-link = Give this link to { $name }. It is shown only once, and lets choose a password.
admin-add = Add a user
admin-add-text = The account begins without a password. You get a link, by which its owner chooses one.
admin-new-organisation = New organisation
admin-owner = Belongs to
admin-default = New repositories are
admin-owner-organisation = An organisation
admin-owner-user = A user
admin-owner-none = Nobody: administrators only
admin-actor = Who
admin-action = Action
admin-action-help = tag.move, or tag. for all of tags
admin-repository = Repository
admin-search = Search
admin-when = When
admin-what = What
admin-from = From
admin-banner = Banner
admin-banner-help = One line that everybody sees above every page. Empty: none.
admin-read-only = Read-only
admin-read-only-help = Pulls go on; pushes, deletions and other changes are refused, and nothing is swept, until you untick this.
admin-save = Save
admin-configuration = Everything else is in the configuration. To see what holds, and where it comes from, type:
done-changed = Changed.
admin-pulled = { $n ->
    [one] { $count } pull
   *[other] { $count } pulls
}
admin-audit-text = { $n ->
    [one] { $count } event is chained. To prove that none was altered, type havre audit verify.
   *[other] { $count } events are chained. To prove that none was altered, type havre audit verify.
}
