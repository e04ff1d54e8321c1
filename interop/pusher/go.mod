module havre.example/interop/pusher

go 1.26
