package com.example.place;

import android.app.Activity;
import android.os.Bundle;
import com.proxymesh.BlockingClient;

/** Lists the authorised IPs. */
public final class Place extends Activity {
    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        new Thread(() -> {
            try (var client = BlockingClient.builder().username("u").password("p").build()) {
                System.out.println(client.getIps().list());
            }
        }).start();
    }
}
