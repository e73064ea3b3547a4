"""What the tests share: a recording server, any call by its name, and the credentials they use."""
