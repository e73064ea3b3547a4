package com.proxymesh

import java.io.IOException

/**
 * A proxy no longer has the exit IP that it holds, and has used another one. [ProxyServer.session] finds another exit IP to hold.
 *
 * If the page is an https page, the request was not sent. It is an [IOException] because HTTP clients throw such exceptions.
 */
public class ExitLostException internal constructor(message: String) : IOException(message)
