package io.barrage.protocol;

import java.util.List;

/**
 * Several messages of one topic as one {@code messages} object: {@code
 * {"type":"messages","topic":"room:42","messages":[{"offset":18,...},...]}}.
 *
 * <p>Stateless functions over byte arrays.
 */
public final class MessagesFrame {
    private static final byte[] START = JsonText.ascii("{\"type\":\"messages\",\"topic\":");
    private static final byte[] MESSAGES = JsonText.ascii(",\"messages\":[");
    private static final byte[] END = JsonText.ascii("]}");

    private MessagesFrame() {}

    /** Length of the object in bytes. */
    public static int length(TopicName topic, List<Message> messages) {
        return START.length + topic.jsonLength() + MESSAGES.length + elementsLength(messages) + END.length;
    }

    private static int elementsLength(List<Message> messages) {
        int length = Math.max(0, messages.size() - 1);
        for (int i = 0; i < messages.size(); i++) {
            length += messages.get(i).elementLength();
        }
        return length;
    }

    /** Its elements as a JSON array, which may be empty. */
    static byte[] array(List<Message> messages) {
        byte[] array = new byte[elementsLength(messages) + 2];
        array[0] = '[';
        array[putElements(array, 1, messages)] = ']';
        return array;
    }

    /**
     * Writes the object at {@code at}; gives the index behind it.
     *
     * @param into has room for {@link #length} bytes there
     * @param messages at least one, all of {@code topic}
     */
    public static int put(byte[] into, int at, TopicName topic, List<Message> messages) {
        int end = JsonText.put(into, at, START);
        end = JsonText.put(into, end, topic.json());
        end = JsonText.put(into, end, MESSAGES);
        end = putElements(into, end, messages);
        return JsonText.put(into, end, END);
    }

    private static int putElements(byte[] into, int at, List<Message> messages) {
        int end = at;
        for (int i = 0; i < messages.size(); i++) {
            if (i > 0) {
                into[end++] = ',';
            }
            end = messages.get(i).putElement(into, end);
        }
        return end;
    }
}
