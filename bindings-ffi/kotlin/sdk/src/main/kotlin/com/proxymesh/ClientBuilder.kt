package com.proxymesh

import java.nio.file.Path
import java.time.Duration

/**
 * The settings for a new client, for Java, which has no named arguments. A setting that you omit comes from its environment variable, if
 * there is one, or else from its default.
 *
 * @param B the builder itself.
 */
public abstract class ClientBuilder<B : ClientBuilder<B>> internal constructor() {
    @get:JvmSynthetic
    internal val chosen = ChosenSettings()

    /** Sets the username of the account or of a sub-account; `PROXYMESH_USERNAME` by default. */
    public fun username(username: String): B = with { chosen.username = username }

    /** Sets the password for the username; `PROXYMESH_PASSWORD` by default. */
    public fun password(password: String): B = with { chosen.password = password }

    /** Sets a token (`pm_…`), instead of a username and password; `PROXYMESH_TOKEN` by default. The token calls do not accept it. */
    public fun token(token: String): B = with { chosen.token = token }

    /**
     * Sets the base URL of the service; by default `PROXYMESH_BASE_URL`, or else `https://proxymesh.com`. Plain http is allowed only to
     * loopback hosts.
     */
    public fun baseUrl(baseUrl: String): B = with { chosen.baseUrl = baseUrl }

    /**
     * Sets the time limit for one attempt, from connecting to the last byte of the response; 30 s by default. A call that is retried may
     * take longer.
     */
    public fun timeout(timeout: Duration): B = with { chosen.timeout = timeout }

    /** Sets the time limit for connecting, including TLS; 10 s by default. */
    public fun connectTimeout(connectTimeout: Duration): B = with { chosen.connectTimeout = connectTimeout }

    /** Sets how many times a call may be retried, if that is safe; 2 by default. */
    public fun maxRetries(maxRetries: Int): B = with { chosen.maxRetries = maxRetries }

    /**
     * Sets how many connections the client may have open at a time. Further calls wait for one, and this wait does not count towards
     * their time limit. By default, it is a quarter of the file descriptors that the process may open, but at least 64 and at most 256.
     */
    public fun maxConnections(maxConnections: Int): B = with { chosen.maxConnections = maxConnections }

    /**
     * Sets a PEM file with additional CA certificates to trust. `SSL_CERT_FILE` and `SSL_CERT_DIR` can name more. If neither is set, the
     * system's certificates are trusted as well, except on Android.
     */
    public fun caFile(caFile: Path): B = with { chosen.caFile = caFile }

    /**
     * Sets whether to use the environment variables `HTTPS_PROXY` (or else `ALL_PROXY`) and `NO_PROXY`. Off by default, because the
     * account's calls should not go through a scraper's proxy.
     */
    public fun trustEnv(trustEnv: Boolean): B = with { chosen.trustEnv = trustEnv }

    /**
     * Sets whether the processes of this user share what they know about the credentials; true by default. If it is true, several processes
     * with a wrong password do not each try it. Otherwise, their attempts could get the caller banned. They share a file in the user's state
     * folder. It contains no name and no secret.
     */
    public fun shareState(shareState: Boolean): B = with { chosen.shareState = shareState }

    @Suppress("UNCHECKED_CAST")
    private inline fun with(set: () -> Unit): B {
        set()
        return this as B
    }
}
