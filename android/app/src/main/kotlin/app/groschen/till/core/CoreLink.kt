package app.groschen.till.core

import app.groschen.core.NfcException
import app.groschen.core.NfcLink
import app.groschen.core.Selected
import app.groschen.till.nfc.NoAnswer
import app.groschen.till.nfc.PresentTag
import app.groschen.till.nfc.TagGone
import app.groschen.till.nfc.TagSilent

/** The chip in the field as the core wants it. */
internal class CoreLink(private val tag: PresentTag) : NfcLink {
    override fun transceive(frame: ByteArray): ByteArray = told { tag.link.transceive(frame) }

    // Android does not say again what the chip said of itself; it is the same chip.
    override fun reselect(): Selected = told {
        tag.link.reselect()
        selected(tag)
    }

    private inline fun <T> told(action: () -> T): T = try {
        action()
    } catch (none: NoAnswer) {
        throw when (none) {
            is TagGone -> NfcException.Gone()
            is TagSilent -> NfcException.Silent()
        }
    }

    companion object {
        fun selected(tag: PresentTag): Selected = Selected(tag.uid, tag.atqa, tag.sak, tag.historicalBytes)
    }
}
