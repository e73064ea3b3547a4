import com.proxymesh.BlockingClient;
import com.proxymesh.ProxyMeshException;
import com.proxymesh.testing.Sandbox;
import java.nio.file.Path;

/** Runs the quickstart with the sandbox in the jar, and then calls a server with a private CA: Place URL CA_FILE. */
public final class Place {
    private Place() {}

    public static void main(String[] arguments) {
        System.out.printf(
                "Java %s on %s %s%n",
                System.getProperty("java.version"), System.getProperty("os.name"), System.getProperty("os.arch"));
        var start = System.nanoTime();
        try (var sandbox = Sandbox.start();
                var client = sandbox.blockingClient();
                var async = sandbox.asyncClient()) {
            client.getProxies().list();
            System.out.printf("the first call was answered after %.1f s%n", (System.nanoTime() - start) / 1e9);
            Quickstart.lookAround(client, sandbox.getUsername(), "YOUR-PASSWORD");
            Quickstart.manage(client);
            Quickstart.beRefused(client);
            Quickstart.askAtTheSameTime(async);
        }
        var builder = BlockingClient.builder().username("u").password("p").baseUrl(arguments[0]);
        try (var client = builder.build()) {
            client.getIps().list();
            throw new AssertionError("an unknown CA is trusted");
        } catch (ProxyMeshException error) {
            System.out.println("\nwithout the CA: " + error);
            if (!error.getMessage().contains("untrusted authority")) {
                throw error;
            }
        }
        try (var client = builder.caFile(Path.of(arguments[1])).build()) {
            System.out.println("with the CA: " + client.getIps().list());
        }
        System.out.println("PLACE OK");
    }
}
