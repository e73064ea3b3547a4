package com.proxymesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The tests of a Java program can replace the clients with mocks. The classes are final, and Mockito mocks final classes since version 5. */
class MockitoTest {
    @Test
    void theBlockingClientCanBeMocked() {
        BlockingClient client = mock();
        BlockingIps ips = mock();
        when(client.getIps()).thenReturn(ips);
        when(ips.labels()).thenReturn(List.of(new LabeledIp("203.0.113.7", "office")));
        when(ips.add("203.0.113.7")).thenThrow(new RateLimitedException("slow down", new Refusal("ips.add", 429, "slow down")));

        assertEquals("office", client.getIps().labels().get(0).getLabel());
        assertThrows(RateLimitedException.class, () -> client.getIps().add("203.0.113.7"));
        verify(ips).labels();
    }

    @Test
    void aPoolCanBeMocked() {
        BlockingProxyPool pool = mock();
        var proxy = new ProxyServer("us-ca.proxymesh.com");
        when(pool.get()).thenReturn(proxy);
        when(pool.report(any(ProxyServer.class), anyInt())).thenReturn(Duration.ofSeconds(60));

        assertEquals(proxy, pool.get());
        assertEquals(Duration.ofSeconds(60), pool.report(proxy, 503));
    }

    @Test
    void theClientWithFuturesCanBeMocked() {
        AsyncClient client = mock();
        AsyncGeo geo = mock();
        when(client.getGeo()).thenReturn(geo);
        when(geo.open()).thenReturn(CompletableFuture.failedFuture(new ServerException("oops", new Refusal("geo.open", 503, "oops"))));

        assertThrows(ServerException.class, () -> {
            try {
                client.getGeo().open().join();
            } catch (java.util.concurrent.CompletionException error) {
                throw error.getCause();
            }
        });
    }
}
