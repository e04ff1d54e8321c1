time-now = à l’instant
time-past-minutes = { $n ->
    [one] il y a { $count } minute
   *[other] il y a { $count } minutes
}
time-past-hours = { $n ->
    [one] il y a { $count } heure
   *[other] il y a { $count } heures
}
time-past-days = { $n ->
    [one] il y a { $count } jour
   *[other] il y a { $count } jours
}
time-past-months = { $n ->
    [one] il y a { $count } mois
   *[other] il y a { $count } mois
}
time-past-years = { $n ->
    [one] il y a { $count } an
   *[other] il y a { $count } ans
}
time-future-minutes = { $n ->
    [one] dans { $count } minute
   *[other] dans { $count } minutes
}
time-future-hours = { $n ->
    [one] dans { $count } heure
   *[other] dans { $count } heures
}
time-future-days = { $n ->
    [one] dans { $count } jour
   *[other] dans { $count } jours
}
time-future-months = { $n ->
    [one] dans { $count } mois
   *[other] dans { $count } mois
}
time-future-years = { $n ->
    [one] dans { $count } an
   *[other] dans { $count } ans
}
time-moment = { $day } à { $time } UTC
bytes = { $n ->
    [one] { $count } octet
   *[other] { $count } octets
}
month-1 = janv.
month-2 = févr.
month-3 = mars
month-4 = avr.
month-5 = mai
month-6 = juin
month-7 = juil.
month-8 = août
month-9 = sept.
month-10 = oct.
month-11 = nov.
month-12 = déc.
