import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.proxymesh.BlockingClient;
import com.proxymesh.PoolOptions;
import com.proxymesh.ServerException;
import com.proxymesh.testing.Fault;
import com.proxymesh.testing.Sandbox;
import com.proxymesh.testing.WithSandbox;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests of your own code against the sandbox. Each test has an account of its own. */
@WithSandbox(proxies = true)
class CrawlerTest {
    @Test
    void aMachineIsAuthorisedWhileItCrawls(Sandbox sandbox, BlockingClient client) {
        try (var lease = client.getIps().authorized("203.0.113.7", "crawl")) {
            assertEquals(List.of(lease.getIp()), client.getIps().list());
        }
        assertEquals(List.of(), client.getIps().list());
        assertEquals("/api/ips/", sandbox.requests().get(sandbox.requests().size() - 1).getPath());
    }

    @Test
    void aProxyOfThePoolWorks(Sandbox sandbox, BlockingClient client) {
        var pool = client.getProxies().pool(new PoolOptions().withCountries("US"));
        var proxy = pool.get();
        pool.report(proxy, proxy.checkBlocking());
        assertTrue(pool.cooling().isEmpty());
        assertEquals(proxy.getName(), sandbox.proxied().get(0).getProxy());
    }

    @Test
    void anOutageIsNoticed(Sandbox sandbox, BlockingClient client) {
        sandbox.inject(Fault.status(503).path("/api/ips/"));
        assertThrows(ServerException.class, () -> client.withOptions(0).getIps().list());
        assertEquals(List.of(), client.getIps().list());
    }
}
