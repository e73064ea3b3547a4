"""An ordinary Scrapy project. The only line about proxymesh is in its settings."""
