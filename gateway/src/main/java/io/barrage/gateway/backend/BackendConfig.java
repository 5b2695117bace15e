package io.barrage.gateway.backend;

import io.barrage.gateway.auth.ApiKeyConfig;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The listener for backends and operators. Immutable. */
public record BackendConfig(
        @Setting(
                value = "127.0.0.1",
                doc = "Address that the listener for backends binds to: publish, control, metrics, health. Beyond"
                        + " loopback it needs an API key.")
        String host,

        @Setting(
                value = "8081",
                min = "0",
                max = "65535",
                doc = "Its port; 0 takes a free one, and the log says which.")
        int port,

        @Setting(
                doc = "API keys. Without any, the listener serves loopback only. Two may be valid at once, so that"
                        + " keys can be changed without a pause. `BARRAGE_BACKEND_KEY` adds one in clear text, named"
                        + " `env`, with all scopes.")
        List<ApiKeyConfig> keys)
        implements Checked {

    public BackendConfig {
        keys = List.copyOf(keys);
    }

    @Override
    public void check(Contradictions found) {
        checkHost(found);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            String name = keys.get(i).name();
            if (!names.add(name)) {
                found.add("\"" + name + "\" is the name of another key already", "keys[" + i + "].name");
            }
        }
    }

    private void checkHost(Contradictions found) {
        if (host.isBlank()) {
            found.add("must not be empty; 0.0.0.0 means every address", "host");
            return;
        }
        try {
            // Every address that the name stands for: a name is no promise about which of them will be bound.
            boolean loopback = Arrays.stream(InetAddress.getAllByName(host)).allMatch(InetAddress::isLoopbackAddress);
            if (!loopback && keys.isEmpty()) {
                found.add(
                        host + " can be reached from other machines, but there is no API key: anybody could publish and"
                                + " control. Make a key with `barrage key` and put it into backend.keys or into"
                                + " BARRAGE_BACKEND_KEY, or bind to 127.0.0.1",
                        "host",
                        "keys");
            }
        } catch (UnknownHostException e) {
            found.add("no address is known for \"" + host + '"', "host");
        }
    }
}
