"""The project's settings. A test passes further settings on the command line."""

BOT_NAME = "crawl"
SPIDER_MODULES = ["crawl.spiders"]
LOG_LEVEL = "INFO"
TELNETCONSOLE_ENABLED = False
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 16
DOWNLOAD_TIMEOUT = 20

ADDONS = {"proxymesh.scrapy.Addon": 500}
