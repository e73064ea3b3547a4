"""What the tests share: a recording server, the tables of all languages, and the credentials they use."""
