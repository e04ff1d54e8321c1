# A repository, its tags, one tag, two compared.

repository-star = Star
repository-unstar = Starred
repository-edit = Edit description
repository-licence = Licence:
repository-pull = Pull this image
repository-tag = Tag
repository-show = Show
repository-tag-history = History of this tag
repository-by-digest = Pull exactly this image
repository-by-digest-text = A tag may be moved to another image. A digest always gives the same one.
repository-empty = No tags yet
repository-empty-text = Push the first image, and this page tells how to pull it:
repository-readme = About this repository
repository-readme-from-image = Taken from the image, where it describes itself.
repository-no-readme = No README yet
repository-no-readme-write = Tell people what this image is for, which tags there are, and how to start it.
repository-no-readme-text = Nobody has described this repository yet.
repository-write-readme = Write a README
repository-facts = Facts
repository-stable = Latest stable version
repository-pushed = Last push
repository-platforms = Platforms
repository-size = Size to pull
repository-layers = { $n ->
    [one] { $count } layer
   *[other] { $count } layers
}
repository-pulls = Pulls
repository-pulls-recent = { $count } in 90 days
repository-chart = Pulls of the last 90 days, day by day

link-source = Source
link-documentation = Documentation
link-url = Website

describe-title = Describe this repository
describe-line = In one line
describe-line-help = What it is, in at most 256 characters. Lists and searches show it.
describe-readme = README
describe-readme-help = Markdown, at most 256 KiB. HTML is left out; images are shown as links. Leave it empty to take the description from the image.
describe-save = Save
describe-refused = This could not be saved: the line takes 256 characters without line breaks, the README 256 KiB.
done-described = The description was saved.

tags-title = Tags
tags-heading = Tags of { $name }
tags-none = No tags yet
tags-none-text = A tag is the name of a version, such as 1.0.0. The first push makes one:
tags-none-found = No such tag
tags-none-found-text = Nothing fits what you are looking for. Look for less, or take the filter away.
tags-filter = Filter tags
tags-apply = Filter
tags-reset = All tags
tags-kind = Kind
tags-kind-all = All kinds
tags-kind-stable = Stable versions
tags-kind-pre = Pre-releases
tags-kind-date = Dates
tags-kind-moving = Environments, branches
tags-kind-other = Other names
tags-kind-commit = Commits
tags-kind-attached = Signatures and the like
tags-platform = Platform
tags-platform-all = All platforms
tags-order-newest = There are more than { $count } tags here: those that were pushed last come first, not the highest version.
tags-order-name = There are more than { $count } tags here: these begin with what you typed, in the order of their names.
tags-compare = Compare two
tags-compare-do = Compare
tags-delete = Delete…
tags-pick = Picked
tags-pick-one = Pick { $name }
tags-pick-help = Tick tags, then compare or delete them.
tags-tags = Tags
tags-image = Image
tags-platforms = Platforms
tags-size = Size
tags-pushed = Pushed
tags-pulled = Last pulled
tags-never = never
tags-more = and { $count } more

delete-title = Delete tags
delete-text = { $n ->
    [one] The tag that is ticked goes at once. The image stays and can be pulled by its digest.
   *[other] The { $count } tags that are ticked go at once. The images stay and can be pulled by their digests.
}
delete-bare = { $n ->
    [one] One image keeps no tag: note its digest if you still need it.
   *[other] { $count } images keep no tag: note their digests if you still need them.
}
delete-never-pulled = Never pulled by these tags
delete-stays = No tag is left: the image stays under its digest.
delete-do = Delete the ticked tags
done-tags-deleted = The tags were deleted. Their images can still be pulled by digest.
done-tags-partly-deleted = Some tags were deleted. Others had been moved or deleted meanwhile and were left alone.
done-tags-kept = Nothing was deleted: no tag was ticked, or they had been moved meanwhile.

tag-delete = Delete…
tag-points-to = Points to
tag-image = Look at the image
tag-others = Same image
tag-others-count = { $n ->
    [one] { $count } other tag
   *[other] { $count } other tags
}
tag-not-there = There is no such tag any more. Put it back to one of the images that it led to.
tag-history = History
tag-history-text = Where the tag pointed, the latest first. Putting it back moves it as a push would, and is written down like one.
tag-history-none = Nothing was written down.
tag-when = When
tag-what = What
tag-to = To
tag-from = From
tag-who = Who
tag-act = Put back
tag-made = Made
tag-moved = Moved
tag-deleted = Deleted
tag-current = now
tag-gone = deleted since
tag-put-back = Put it back
done-tag-put-back = The tag points to that image again.

compare-title = Compare two images
compare-pick = Choose two tags.
compare-one = One
compare-other = The other
compare-too-few = Nothing to compare
compare-too-few-text = It takes two images with tags.
compare-unknown = There is no { $name } here. Choose another tag.
compare-swap = Swap
compare-same = These are the same image.
compare-layers = Layers
compare-layer = Layer
compare-where = Where
compare-shared = In both
compare-added = Only in the second
compare-removed = Only in the first
compare-settings = Configuration
compare-settings-same = No difference in what can be shown. Values that look secret are not compared.
compare-setting = Setting
compare-masked = hidden
compare-absent = not set

setting-entrypoint = Entrypoint
setting-command = Command
setting-directory = Working directory
setting-user = User
setting-ports = Ports
setting-volumes = Volumes
setting-signal = Stop signal
setting-variable = Variable
setting-label = Label

event-repository-star = { $actor } starred { $repository }
event-repository-unstar = { $actor } took the star of { $repository } back
