package app.groschen.till.nfc

import android.app.Activity
import android.nfc.NfcAdapter
import android.nfc.Tag
import android.os.Bundle
import android.os.Handler
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowNfcAdapter

/** Robolectric's adapter, which also keeps how reader mode was asked for and knows `ignore`. */
@Implements(NfcAdapter::class)
class ShadowField : ShadowNfcAdapter() {
    @Implementation
    override fun enableReaderMode(activity: Activity, callback: NfcAdapter.ReaderCallback, flags: Int, extras: Bundle?) {
        super.enableReaderMode(activity, callback, flags, extras)
        lastFlags = flags
        lastExtras = extras
    }

    @Implementation
    @Suppress("UNUSED_PARAMETER")
    fun ignore(tag: Tag, debounceMs: Int, listener: NfcAdapter.OnTagRemovedListener, handler: Handler): Boolean {
        if (!answersIgnore) return false
        ignored += debounceMs
        removed = { handler.post(listener::onTagRemoved) }
        return true
    }

    companion object {
        var lastFlags = 0
        var lastExtras: Bundle? = null
        var answersIgnore = true
        val ignored = mutableListOf<Int>()
        var removed: () -> Unit = {}

        fun forget() {
            lastFlags = 0
            lastExtras = null
            answersIgnore = true
            ignored.clear()
            removed = {}
        }
    }
}

/** Takes Robolectric's stand-ins away: Android's own classes then speak to a [FakeChip]. */
@Implements(className = "android.nfc.tech.BasicTagTechnology")
class TrueTechnology

@Implements(className = "android.nfc.tech.IsoDep")
class TrueIsoDep
