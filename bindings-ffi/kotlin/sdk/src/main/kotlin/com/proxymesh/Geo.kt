package com.proxymesh

/** Exit IPs per country code, for the proxies that let a country be picked. From [Client.geo]. */
public class Geo internal constructor(private val calls: Calls) {
    /** Those of the `open` proxy: `GET /api/geoips/open/`. */
    public suspend fun open(): Map<String, Long> = calls.make { geoOpen().toSortedMap() }

    /** Those of the `world` proxy: `GET /api/geoips/world/`. */
    public suspend fun world(): Map<String, Long> = calls.make { geoWorld().toSortedMap() }
}

/** Exit IPs per country code, for the proxies that let a country be picked. From [BlockingClient.geo]. */
public class BlockingGeo internal constructor(private val calls: BlockingCalls) {
    /** Those of the `open` proxy: `GET /api/geoips/open/`. */
    public fun open(): Map<String, Long> = calls.make { geoOpen().toSortedMap() }

    /** Those of the `world` proxy: `GET /api/geoips/world/`. */
    public fun world(): Map<String, Long> = calls.make { geoWorld().toSortedMap() }
}
