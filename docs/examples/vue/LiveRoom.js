// A room in a page: what is said now, and how many are here. Subscribes when it is mounted, follows its topic, and
// unsubscribes when it is unmounted.

import { onMounted, onUnmounted, ref, shallowRef, watch } from "vue";

/** Lines that are kept: a hot room's page would grow for ever. */
const LINES = 100;

/**
 * A topic's messages as they come.
 *
 * @param {import("../../../protocol/js/barrage").Barrage} barrage one for the whole page: components share its connection
 * @param {() => string} topic
 */
export function useTopic(barrage, topic) {
  // Shallow: messages don't change, and Vue needn't make each of their fields reactive.
  const lines = shallowRef([]);
  const online = ref(null);
  let subscription;
  let count = 0;

  function subscribe() {
    lines.value = [];
    online.value = null;
    subscription = barrage.subscribe(topic(), {
      // Numbered here: one that the room's budget hid from the others has no offset.
      onMessage: (message) => (lines.value = [...lines.value.slice(1 - LINES), { key: ++count, message }]),
      onSubscribed: (detail) => (online.value = detail.online),
      onOnline: (detail) => (online.value = detail.count),
    });
  }

  // Not in setup(): that also runs on a server that renders pages, where nobody would unmount it.
  onMounted(() => {
    subscribe();
    watch(topic, () => {
      subscription.unsubscribe();
      subscribe();
    });
  });
  onUnmounted(() => subscription?.unsubscribe());

  return { lines, online };
}

export default {
  props: { barrage: { type: Object, required: true }, topic: { type: String, required: true } },
  setup: (props) => useTopic(props.barrage, () => props.topic),
  template: `
    <section>
      <h2>{{ topic }} <small v-if="online !== null">{{ online }} here</small></h2>
      <ul>
        <li v-for="{ key, message } in lines" :key="key">
          <b v-if="message.sender">{{ message.sender }}: </b>{{ message.data?.text ?? message.data }}
        </li>
      </ul>
    </section>`,
};
