package io.barrage.gateway.backend;

import io.barrage.gateway.auth.ApiKeyConfig;
import io.barrage.gateway.config.Checked;
import io.barrage.gateway.config.Contradictions;
import io.barrage.gateway.config.Setting;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The listener for backends and operators. Immutable. */
public record BackendConfig(
        @Setting(
                value = "127.0.0.1",
                doc = "Address that the listener for backends binds to: publish, control, metrics, health. Beyond"
                        + " loopback it needs an API key.",
                restart = true)
        String host,

        @Setting(
                value = "8081",
                min = "0",
                max = "65535",
                doc = "Its port; 0 takes a free one, and the log says which.",
                restart = true)
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
        Map<String, Integer> firsts = new HashMap<>();
        Set<String> changing = new HashSet<>();
        for (int i = 0; i < keys.size(); i++) {
            String name = keys.get(i).name();
            Integer first = firsts.putIfAbsent(name, i);
            String path = "keys[" + i + "].name";
            if (first == null) {
                continue;
            }
            if (!changing.add(name)) {
                found.add(
                        "\"" + name + "\" is the name of two other keys already: an old one and a new one are all",
                        path);
            } else if (!keys.get(first).isSameBut(keys.get(i))) {
                found.add(
                        "\"" + name
                                + "\" is the name of another key already, with other scopes, rate or topics: only the"
                                + " hash or the file of a key may be changed",
                        path);
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
