// What is said and heard during a call: a tone as audio, for which no device is needed, and short texts over the data channel.
'use strict';

/** How often a text is sent, in milliseconds. */
const TEXT_EVERY_MS = 100;

/** The microphone: a track with a tone, and the stream that it belongs to. */
function microphone() {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 440 });
  const out = new MediaStreamAudioDestinationNode(context);
  tone.connect(out);
  tone.start();
  return { context, stream: out.stream, track: out.stream.getAudioTracks()[0] };
}

/** Sends a text every now and then, and counts those that come, in `heard`. */
function chat(channel, heard) {
  let timer;
  channel.onmessage = () => { heard.texts += 1; };
  channel.onopen = () => {
    timer = setInterval(() => {
      if (channel.readyState !== 'open') return;
      heard.sent += 1;
      channel.send(`text ${heard.sent}`);
    }, TEXT_EVERY_MS);
  };
  channel.onclose = () => {
    clearInterval(timer);
    // By the other end; our own goodbye closes it too.
    if (!heard.isOver) heard.chatClosedAt = Math.round(performance.now());
  };
}
