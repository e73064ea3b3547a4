package com.proxymesh;

import java.util.logging.ConsoleHandler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The code of `docs/jvm.md`. */
final class LogGuide {
    private LogGuide() {}

    static Runnable toTheConsole(BlockingClient client) {
        var log = Logger.getLogger("com.proxymesh");
        var console = new ConsoleHandler(); // it prints to System.err
        console.setLevel(Level.FINE);
        log.setLevel(Level.FINE);
        log.addHandler(console);
        client.getGeo().open(); // geo.open: GET /api/geoips/open/: 200 after 1.3 ms (attempt 1)

        return () -> {
            log.removeHandler(console);
            log.setLevel(null);
        };
    }
}
