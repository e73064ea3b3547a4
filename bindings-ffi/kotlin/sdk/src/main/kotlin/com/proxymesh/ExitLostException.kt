package com.proxymesh

import java.net.ProtocolException

/**
 * The proxy no longer has the exit IP of the session. [ProxyServer.session] finds another exit IP to hold.
 *
 * A request for an https page was not sent. This is a [java.io.IOException], because HTTP clients throw such exceptions.
 */
public class ExitLostException internal constructor(message: String) : ProtocolException(message)
