package app.groschen.till.nfc

import android.app.Activity
import android.nfc.NfcAdapter
import android.nfc.Tag
import android.nfc.tech.IsoDep
import android.nfc.tech.NfcA
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import java.util.concurrent.ScheduledExecutorService
import java.util.concurrent.TimeUnit

/**
 * Reader mode while a window is in front: chips come to [listener] one after the other, on [worker].
 *
 * Android calls back on a binder thread, which must not be held for a payment; [worker] has one thread, so that no two chips are
 * worked on at once and a chip's removal is told before the next one.
 */
class ReaderMode(
    private val adapter: NfcAdapter,
    private val listener: TagListener,
    private val worker: ScheduledExecutorService,
) {
    /** From `onResume`. */
    fun resume(activity: Activity) {
        val extras = Bundle().apply { putInt(NfcAdapter.EXTRA_READER_PRESENCE_CHECK_DELAY, PRESENCE_CHECK_DELAY_MS) }
        adapter.enableReaderMode(activity, { tag -> worker.execute { work(tag) } }, FLAGS, extras)
    }

    /** From `onPause`. A payment that runs comes to its end, or loses its chip: the core knows both. */
    fun pause(activity: Activity) = adapter.disableReaderMode(activity)

    private fun work(tag: Tag) {
        val link = AndroidTagLink.of(tag) ?: return
        try {
            link.connect()
        } catch (_: NoAnswer) {
            // Too short in the field to be anything: it comes again.
            return
        }
        listener.onTag(presentTag(tag, link))
        watchRemoval(tag, link)
    }

    private fun watchRemoval(tag: Tag, link: AndroidTagLink) {
        // Android recognises a chip that stays by its id. One whose id is new each time would come again and again.
        val told = !hidesItsId(tag.id) && ignore(tag)
        if (!told) poll(link)
    }

    private fun ignore(tag: Tag): Boolean = try {
        adapter.ignore(tag, DEBOUNCE_MS, { worker.execute(listener::onTagRemoved) }, Handler(Looper.getMainLooper()))
    } catch (_: SecurityException) {
        // Out of date: it left, and another came.
        false
    }

    private fun poll(link: AndroidTagLink) {
        if (link.isPresent()) {
            worker.schedule({ poll(link) }, POLL_MS, TimeUnit.MILLISECONDS)
        } else {
            link.close()
            listener.onTagRemoved()
        }
    }

    companion object {
        // No search for NDEF, which costs exchanges and refusals; no sound of Android's, the till has its own.
        internal const val FLAGS =
            NfcAdapter.FLAG_READER_NFC_A or NfcAdapter.FLAG_READER_SKIP_NDEF_CHECK or NfcAdapter.FLAG_READER_NO_PLATFORM_SOUNDS

        // After this long without a frame Android reads block 0 in plain, which ends a chip's secure session; the default is 125.
        internal const val PRESENCE_CHECK_DELAY_MS = 500

        // Shorter than a person takes to lift a wristband and hold it there again; longer than a chip at the field's edge is unseen.
        internal const val DEBOUNCE_MS = 400
        private const val POLL_MS = 250L
        private const val HIDDEN_ID_BYTES = 4
        private const val HIDDEN_ID_FIRST: Byte = 0x08

        private fun hidesItsId(id: ByteArray) = id.size == HIDDEN_ID_BYTES && id[0] == HIDDEN_ID_FIRST

        private fun presentTag(tag: Tag, link: TagLink): PresentTag {
            val nfcA = NfcA.get(tag)
            return PresentTag(
                uid = tag.id,
                atqa = nfcA?.atqa ?: ByteArray(0),
                sak = nfcA?.sak?.toInt() ?: 0,
                historicalBytes = IsoDep.get(tag)?.let { it.historicalBytes ?: ByteArray(0) },
                link = link,
            )
        }
    }
}
