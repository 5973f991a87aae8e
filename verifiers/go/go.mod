module clyra.dev/verifiers/go

go 1.26
