package io.barrage.protocol;

/**
 * One of a topic's values as it is told to its subscribers: state, with neither an offset nor a history. Immutable.
 *
 * @param data one JSON value, not to be changed; {@code null} as JSON if the key has been removed
 * @param number grows with each value that a topic tells; not for the wire
 */
@SuppressWarnings("ArrayRecordComponent") // The data is carried, never compared.
public record TopicValue(TopicName topic, String key, byte[] data, long number) implements TopicEvent {
    private static final byte[] START = JsonText.ascii("{\"type\":\"value\",\"topic\":");
    private static final byte[] KEY = JsonText.ascii(",\"key\":");
    private static final byte[] DATA = JsonText.ascii(",\"data\":");

    /** A value that is later than all that were numbered. */
    public TopicValue(TopicName topic, String key, byte[] data) {
        this(topic, key, data, Long.MAX_VALUE);
    }

    @Override
    public int weight() {
        return data.length + key.length() + 128;
    }

    /** Whether its key has been removed. */
    public boolean isRemoved() {
        return data.length == 4 && data[0] == 'n';
    }

    /** Its {@code value} object as UTF-8 bytes. */
    public byte[] json() {
        byte[] quoted = JsonText.quote(key);
        byte[] json = new byte
                [START.length + topic.jsonLength() + KEY.length + quoted.length + DATA.length + data.length + 1];
        int at = JsonText.put(json, 0, START);
        at = JsonText.put(json, at, topic.json());
        at = JsonText.put(json, at, KEY);
        at = JsonText.put(json, at, quoted);
        at = JsonText.put(json, at, DATA);
        at = JsonText.put(json, at, data);
        json[at] = '}';
        return json;
    }
}
