package com.proxymesh

/** The proxies that the account may use. From [Client.proxies]. */
public class Proxies internal constructor(private val calls: Calls) {
    /** The proxies that the account may use: `GET /api/proxies/`. */
    public suspend fun list(): List<Proxy> = calls.make { proxiesList().map { it.translated() } }

    /**
     * Authorises the account for a proxy: `POST /api/proxy/add/`. For one that is authorised already, it changes
     * nothing and succeeds.
     *
     * @param proxy its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
     * @return its domain.
     * @throws BadRequestException there is no such proxy.
     * @throws PlanLimitException the plan allows no more.
     * @throws ServerException with status 503: the plan could not be looked up; try again in a few minutes.
     */
    public suspend fun add(proxy: String): String = calls.make { proxiesAdd(proxy) }

    /** [add] for a [Proxy] that is at hand. */
    public suspend fun add(proxy: Proxy): String = add(proxy.toString())

    /**
     * Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing
     * and succeeds.
     *
     * @param proxy its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
     * @throws BadRequestException there is no such proxy.
     */
    public suspend fun delete(proxy: String): Unit = calls.make { proxiesDelete(proxy) }

    /** [delete] for a [Proxy] that is at hand. */
    public suspend fun delete(proxy: Proxy): Unit = delete(proxy.toString())
}

/** The proxies that the account may use. From [BlockingClient.proxies]. */
public class BlockingProxies internal constructor(private val calls: BlockingCalls) {
    /** The proxies that the account may use: `GET /api/proxies/`. */
    public fun list(): List<Proxy> = calls.make { proxiesList().map { it.translated() } }

    /**
     * Authorises the account for a proxy: `POST /api/proxy/add/`. For one that is authorised already, it changes
     * nothing and succeeds.
     *
     * @param proxy its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
     * @return its domain.
     * @throws BadRequestException there is no such proxy.
     * @throws PlanLimitException the plan allows no more.
     * @throws ServerException with status 503: the plan could not be looked up; try again in a few minutes.
     */
    public fun add(proxy: String): String = calls.make { proxiesAdd(proxy) }

    /** [add] for a [Proxy] that is at hand. */
    public fun add(proxy: Proxy): String = add(proxy.toString())

    /**
     * Takes the authorisation for a proxy away: `POST /api/proxy/delete/`. For one that has none, it changes nothing
     * and succeeds.
     *
     * @param proxy its host (`us-ca`), its domain (`us-ca.proxymesh.com`), or `domain:port`.
     * @throws BadRequestException there is no such proxy.
     */
    public fun delete(proxy: String): Unit = calls.make { proxiesDelete(proxy) }

    /** [delete] for a [Proxy] that is at hand. */
    public fun delete(proxy: Proxy): Unit = delete(proxy.toString())
}
