package com.proxymesh.testing

import com.proxymesh.AsyncClient
import com.proxymesh.BlockingClient
import com.proxymesh.Client
import java.lang.annotation.Inherited
import org.junit.jupiter.api.extension.AfterEachCallback
import org.junit.jupiter.api.extension.ExtendWith
import org.junit.jupiter.api.extension.ExtensionContext
import org.junit.jupiter.api.extension.ExtensionContext.Namespace
import org.junit.jupiter.api.extension.ParameterContext
import org.junit.jupiter.api.extension.ParameterResolver
import org.junit.platform.commons.support.AnnotationSupport

/**
 * Gives each test of a class, or one test, a [Sandbox] of its own. A test method has parameters for what it needs: [Sandbox], [Client],
 * [BlockingClient] or [AsyncClient]. They are closed after the test.
 *
 * ```kotlin
 * @WithSandbox
 * class CrawlerTest {
 *     @Test
 *     fun `the crawler authorises its IP`(sandbox: Sandbox, client: BlockingClient) {
 *         Crawler(client).start()
 *         assertEquals("/api/ip/add/", sandbox.requests().single().path)
 *     }
 * }
 * ```
 *
 * It works with JUnit 5 and JUnit 6. Your project declares JUnit itself.
 *
 * @property plan the plan; see [SandboxOptions.plan].
 * @property proxies whether the proxies run as well.
 */
@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION)
@Retention(AnnotationRetention.RUNTIME)
@Inherited
@ExtendWith(SandboxExtension::class)
public annotation class WithSandbox(val plan: String = "50", val proxies: Boolean = false)

/** What [WithSandbox] does. */
internal class SandboxExtension : ParameterResolver, AfterEachCallback {
    override fun supportsParameter(parameter: ParameterContext, context: ExtensionContext): Boolean =
        parameter.parameter.type in setOf(Sandbox::class.java, Client::class.java, BlockingClient::class.java, AsyncClient::class.java)

    override fun resolveParameter(parameter: ParameterContext, context: ExtensionContext): Any {
        val started = started(context)
        return when (parameter.parameter.type) {
            Sandbox::class.java -> started.sandbox
            Client::class.java -> started.sandbox.client().also(started.clients::add)
            BlockingClient::class.java -> started.sandbox.blockingClient().also(started.clients::add)
            else -> started.sandbox.asyncClient().also(started.clients::add)
        }
    }

    override fun afterEach(context: ExtensionContext) {
        val started = context.getStore(NAMESPACE).remove(Started::class.java, Started::class.java) ?: return
        started.clients.forEach(AutoCloseable::close)
        started.sandbox.close()
    }

    private fun started(context: ExtensionContext): Started {
        val store = context.getStore(NAMESPACE)
        store.get(Started::class.java, Started::class.java)?.let { return it }
        val wanted = AnnotationSupport.findAnnotation(context.element, WithSandbox::class.java)
            .or { AnnotationSupport.findAnnotation(context.testClass, WithSandbox::class.java) }
        val options = wanted.map { SandboxOptions(plan = it.plan, hasProxies = it.proxies) }.orElseGet(::SandboxOptions)
        return Started(Sandbox.start(options)).also { store.put(Started::class.java, it) }
    }

    private class Started(val sandbox: Sandbox) {
        val clients = mutableListOf<AutoCloseable>()
    }

    private companion object {
        val NAMESPACE: Namespace = Namespace.create(SandboxExtension::class.java)
    }
}
