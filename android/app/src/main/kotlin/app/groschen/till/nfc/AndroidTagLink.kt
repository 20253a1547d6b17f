package app.groschen.till.nfc

import android.nfc.Tag
import android.nfc.tech.IsoDep
import android.nfc.tech.NfcA
import android.nfc.tech.TagTechnology
import java.io.IOException

/** The technology by which a tag is spoken to: NfcA and IsoDep have the same methods and no common type that names them. */
internal class AndroidTagLink private constructor(
    private val technology: TagTechnology,
    private val exchange: (ByteArray) -> ByteArray?,
    private val limitTime: (Int) -> Unit,
) : TagLink {
    fun connect() = answered {
        technology.connect()
        limitTime(TIMEOUT_MS)
    }

    override fun transceive(frame: ByteArray): ByteArray = answered { exchange(frame) ?: throw TagGone(null) }

    // To close a technology makes Android select the chip anew: the field stays, so this takes milliseconds.
    override fun reselect() = answered {
        technology.close()
        technology.connect()
        limitTime(TIMEOUT_MS)
    }

    fun isPresent(): Boolean = try {
        technology.isConnected
    } catch (_: SecurityException) {
        false
    }

    fun close() {
        try {
            technology.close()
        } catch (_: IOException) {
            // Gone already.
        } catch (_: SecurityException) {
            // Another tag came since: this one is out of date.
        }
    }

    private inline fun <T> answered(action: () -> T): T = try {
        action()
    } catch (known: NoAnswer) {
        throw known
    } catch (failed: IOException) {
        // Android reports a refusal and a wristband that was pulled away alike; whether it is still there, it knows.
        throw if (isPresent()) TagSilent(failed) else TagGone(failed)
    } catch (outOfDate: SecurityException) {
        throw TagGone(outOfDate)
    } catch (closed: IllegalStateException) {
        // "Call connect() first!": a tag that was lost is no longer connected.
        throw TagGone(closed)
    }

    companion object {
        // Android's own 618 ms would be half of what a guest waits for at all; the longest answer of a chip takes 20.
        private const val TIMEOUT_MS = 200

        /** IsoDep where the chip has it, else NfcA; null for a chip that speaks neither. */
        fun of(tag: Tag): AndroidTagLink? {
            val isoDep = IsoDep.get(tag)
            if (isoDep != null) return AndroidTagLink(isoDep, isoDep::transceive, isoDep::setTimeout)
            val nfcA = NfcA.get(tag) ?: return null
            return AndroidTagLink(nfcA, nfcA::transceive, nfcA::setTimeout)
        }
    }
}
