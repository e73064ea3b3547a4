package com.proxymesh

/** IPs that may use the proxies without credentials, at most 100 per account. From [Client.ips]. */
public class Ips internal constructor(private val calls: Calls) {
    /**
     * Authorises an IP, v4 or v6: `POST /api/ip/add/`. If the answer is lost it is looked up.
     *
     * @param ip the address.
     * @param label a note to keep with it.
     * @param username the sub-account it is for, if not the caller.
     * @return the IP.
     * @throws BadRequestException it is authorised already, or the 101st.
     */
    public suspend fun add(ip: String, label: String? = null, username: String? = null): String =
        calls.make { ipsAdd(ip, label, username) }

    /**
     * Takes an IP away: `POST /api/ip/delete/`.
     *
     * @param ip the address.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it is not authorised.
     */
    public suspend fun delete(ip: String, username: String? = null): Unit = calls.make { ipsDelete(ip, username) }

    /**
     * The authorised IPs: `GET /api/ips/`.
     *
     * @param username the sub-account whose IPs are meant, if not the caller's.
     */
    public suspend fun list(username: String? = null): List<String> = calls.make { ipsList(username) }

    /**
     * The authorised IPs with their labels: `GET /api/ip_labels/`.
     *
     * @param username the sub-account whose IPs are meant, if not the caller's.
     */
    public suspend fun labels(username: String? = null): List<LabeledIp> =
        calls.make { ipsLabels(username).map { it.translated() } }
}

/** IPs that may use the proxies without credentials, at most 100 per account. From [BlockingClient.ips]. */
public class BlockingIps internal constructor(private val calls: BlockingCalls) {
    /**
     * Authorises an IP, v4 or v6: `POST /api/ip/add/`. If the answer is lost it is looked up.
     *
     * @param ip the address.
     * @param label a note to keep with it.
     * @param username the sub-account it is for, if not the caller.
     * @return the IP.
     * @throws BadRequestException it is authorised already, or the 101st.
     */
    @JvmOverloads
    public fun add(ip: String, label: String? = null, username: String? = null): String =
        calls.make { ipsAdd(ip, label, username) }

    /**
     * Takes an IP away: `POST /api/ip/delete/`.
     *
     * @param ip the address.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it is not authorised.
     */
    @JvmOverloads
    public fun delete(ip: String, username: String? = null): Unit = calls.make { ipsDelete(ip, username) }

    /**
     * The authorised IPs: `GET /api/ips/`.
     *
     * @param username the sub-account whose IPs are meant, if not the caller's.
     */
    @JvmOverloads
    public fun list(username: String? = null): List<String> = calls.make { ipsList(username) }

    /**
     * The authorised IPs with their labels: `GET /api/ip_labels/`.
     *
     * @param username the sub-account whose IPs are meant, if not the caller's.
     */
    @JvmOverloads
    public fun labels(username: String? = null): List<LabeledIp> =
        calls.make { ipsLabels(username).map { it.translated() } }
}
