package com.proxymesh.support

import java.io.BufferedInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** A request as it arrived. */
class Request(val method: String, target: String, val headers: Map<String, String>, val form: String) {
    val path = target.substringBefore('?')
    val query = if ('?' in target) target.substringAfter('?') else null
}

/** What the server does with a request. */
sealed interface Reply {
    class Answer(
        val status: Int,
        val body: ByteArray = ByteArray(0),
        val headers: Map<String, String> = emptyMap(),
        val truncate: Boolean = false,
        val chunked: Boolean = false,
    ) : Reply {
        constructor(status: Int, body: String, headers: Map<String, String> = emptyMap()) :
            this(status, body.toByteArray(), headers)
    }

    /** Never responds. */
    data object Hang : Reply

    /** Closes the connection without a response. */
    data object Close : Reply

    /** Resets the connection. */
    data object Reset : Reply
}

/** A plain HTTP server on sockets. It records the requests and how many connections have been closed. */
class Server(private val script: (Request) -> Reply) : AutoCloseable {
    constructor(reply: Reply) : this({ _ -> reply })

    private val listener = Ports.listen()
    private val open = ConcurrentHashMap.newKeySet<Socket>()
    private val arrived = ConcurrentLinkedQueue<Request>()

    val baseUrl = "http://127.0.0.1:${listener.localPort}"
    val requests: List<Request> get() = arrived.toList()
    val connections = AtomicInteger()

    /** How many connections are open. */
    val openConnections: Int get() = open.size

    /** How many connections have been closed, most of them by the client. */
    val gone = AtomicInteger()

    init {
        thread(name = "server", isDaemon = true) {
            while (true) {
                val socket = try { listener.accept() } catch (_: IOException) { break }
                connections.incrementAndGet()
                open += socket
                thread(name = "server connection", isDaemon = true) { socket.use(::serve) }
            }
        }
    }

    private fun serve(socket: Socket) {
        socket.tcpNoDelay = true
        try {
            val input = BufferedInputStream(socket.getInputStream())
            while (true) {
                val request = read(input) ?: break
                arrived += request
                when (val reply = script(request)) {
                    is Reply.Answer -> if (!send(socket, reply)) break
                    Reply.Hang -> input.transferTo(OutputStream.nullOutputStream())
                    Reply.Close -> break
                    Reply.Reset -> {
                        socket.setSoLinger(true, 0)
                        break
                    }
                }
            }
        } catch (_: IOException) {
            // In some tests, the client closes the connection.
        } finally {
            gone.incrementAndGet()
            open -= socket
        }
    }

    /** Sends a response. Returns whether the connection can be reused. */
    private fun send(socket: Socket, answer: Reply.Answer): Boolean {
        val out = ByteArrayOutputStream()
        fun line(text: String) = out.write("$text\r\n".toByteArray())
        line("HTTP/1.1 ${answer.status} Whatever")
        answer.headers.forEach { (name, value) -> line("$name: $value") }
        when {
            answer.chunked -> line("transfer-encoding: chunked")
            answer.status == 204 -> Unit
            else -> line("content-length: ${answer.body.size * (if (answer.truncate) 2 else 1) + (if (answer.truncate) 1 else 0)}")
        }
        line("")
        if (answer.chunked) {
            for (chunk in answer.body.toList().chunked(1000)) {
                line(chunk.size.toString(16))
                out.write(chunk.toByteArray())
                line("")
            }
            line("0")
            line("")
        } else {
            out.write(answer.body)
        }
        socket.getOutputStream().write(out.toByteArray())
        return !answer.truncate
    }

    private fun read(input: InputStream): Request? {
        val first = line(input) ?: return null
        val headers = generateSequence { line(input)?.takeIf(String::isNotEmpty) }
            .associate { it.substringBefore(':').lowercase() to it.substringAfter(':').trim() }
        val body = input.readNBytes(headers["content-length"]?.toInt() ?: 0)
        val (method, target) = first.split(' ')
        return Request(method, target, headers, String(body))
    }

    private fun line(input: InputStream): String? {
        val line = ByteArrayOutputStream()
        while (true) {
            when (val byte = input.read()) {
                -1 -> return null
                '\n'.code -> return line.toString().trimEnd('\r')
                else -> line.write(byte)
            }
        }
    }

    override fun close() {
        listener.close()
        open.forEach(Socket::close)
    }
}
