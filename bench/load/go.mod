module havre/bench/load

go 1.24
