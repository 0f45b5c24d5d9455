"""The clients: each does one kind of work against a contestant and checks what came back."""
