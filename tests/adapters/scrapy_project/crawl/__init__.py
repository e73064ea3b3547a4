"""A Scrapy project as any other: all that is of proxymesh is the line in its settings."""
