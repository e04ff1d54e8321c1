time-now = just now
time-past-minutes = { $n ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
time-past-hours = { $n ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
time-past-days = { $n ->
    [one] { $count } day ago
   *[other] { $count } days ago
}
time-past-months = { $n ->
    [one] { $count } month ago
   *[other] { $count } months ago
}
time-past-years = { $n ->
    [one] { $count } year ago
   *[other] { $count } years ago
}
time-future-minutes = { $n ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
time-future-hours = { $n ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
time-future-days = { $n ->
    [one] in { $count } day
   *[other] in { $count } days
}
time-future-months = { $n ->
    [one] in { $count } month
   *[other] in { $count } months
}
time-future-years = { $n ->
    [one] in { $count } year
   *[other] in { $count } years
}
time-moment = { $day }, { $time } UTC
bytes = { $n ->
    [one] { $count } byte
   *[other] { $count } bytes
}
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
