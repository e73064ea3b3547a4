import com.proxymesh.BlockingClient;
import com.proxymesh.ExitChoice;
import com.proxymesh.NotFoundException;
import com.proxymesh.ProxyMeshException;
import com.proxymesh.ProxyServer;
import com.proxymesh.okhttp.ProxyMeshOkHttp;
import com.proxymesh.okhttp.ProxyRefusedException;
import com.proxymesh.testing.RecordedRequest;
import com.proxymesh.testing.Sandbox;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/** NullAway must report the lines that are marked, and no other line. */
@NullMarked
final class Nullness {
    static String right(BlockingClient client, ProxyServer proxy, @Nullable String label) {
        client.getIps().add("203.0.113.7", label);
        client.getTokens().create(null, null, "crawler-1").secret().length();
        new ExitChoice(null, "203.0.113.7").getNotIps().size();
        var country = proxy.getCountry();
        return proxy.getName() + (country == null ? "" : country.toLowerCase());
    }

    static void wrong(BlockingClient client, ProxyServer proxy, ProxyMeshException error, NotFoundException refusal) {
        client.getIps().add(null); // wrong
        client.getIps().add(null, "office"); // wrong
        BlockingClient.builder().username(null); // wrong
        proxy.using("me@ex.com", null); // wrong
        proxy.getCountry().length(); // wrong
        proxy.checkBlocking().getStatus().intValue(); // wrong
        client.getTokens().list().get(0).getExpiresAt().getYear(); // wrong
        error.getCall().length(); // wrong
        refusal.getRetryAfter().toSeconds(); // wrong
        client.getProxies().pool().report(proxy, 503).toSeconds(); // wrong
    }

    static void wrongElsewhere(OkHttpClient.Builder builder, ProxyRefusedException error, Sandbox sandbox, RecordedRequest request) {
        ProxyMeshOkHttp.proxyMesh(builder, null); // wrong
        error.getReason().length(); // wrong
        sandbox.inject(null); // wrong
        request.getUsername().length(); // wrong
    }
}
