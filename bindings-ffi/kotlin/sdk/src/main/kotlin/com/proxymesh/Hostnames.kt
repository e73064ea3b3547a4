package com.proxymesh

/** Hostnames that may use the proxies without credentials. From [Client.hostnames]. */
public class Hostnames internal constructor(private val calls: Calls) {
    /**
     * Authorises a hostname: `POST /api/hostname/add/`.
     *
     * @param domain the hostname, such as `crawler.example.com`.
     * @param username the sub-account it is for, if not the caller.
     * @return the hostname.
     * @throws BadRequestException it is authorised already.
     * @throws OutcomeUnknownException the answer was lost, and the hostname is a sub-account's, which cannot be looked
     *   up.
     */
    public suspend fun add(domain: String, username: String? = null): String =
        calls.make { hostnamesAdd(domain, username) }

    /**
     * Takes a hostname away: `POST /api/hostname/delete/`.
     *
     * @param domain the hostname.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it is not authorised.
     * @throws OutcomeUnknownException the answer was lost, and the hostname is a sub-account's, which cannot be looked
     *   up.
     */
    public suspend fun delete(domain: String, username: String? = null): Unit =
        calls.make { hostnamesDelete(domain, username) }

    /** The caller's authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account. */
    public suspend fun list(): List<String> = calls.make { hostnamesList() }
}

/** Hostnames that may use the proxies without credentials. From [BlockingClient.hostnames]. */
public class BlockingHostnames internal constructor(private val calls: BlockingCalls) {
    /**
     * Authorises a hostname: `POST /api/hostname/add/`.
     *
     * @param domain the hostname, such as `crawler.example.com`.
     * @param username the sub-account it is for, if not the caller.
     * @return the hostname.
     * @throws BadRequestException it is authorised already.
     * @throws OutcomeUnknownException the answer was lost, and the hostname is a sub-account's, which cannot be looked
     *   up.
     */
    @JvmOverloads
    public fun add(domain: String, username: String? = null): String = calls.make { hostnamesAdd(domain, username) }

    /**
     * Takes a hostname away: `POST /api/hostname/delete/`.
     *
     * @param domain the hostname.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it is not authorised.
     * @throws OutcomeUnknownException the answer was lost, and the hostname is a sub-account's, which cannot be looked
     *   up.
     */
    @JvmOverloads
    public fun delete(domain: String, username: String? = null): Unit = calls.make { hostnamesDelete(domain, username) }

    /** The caller's authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account. */
    public fun list(): List<String> = calls.make { hostnamesList() }
}
