package app.groschen.till.nfc

import java.io.IOException

/** Frames to and from the chip that is in the field. Only valid while [TagListener.onTag] runs; never used on the main thread. */
interface TagLink {
    /** Sends a frame without its CRC and returns the answer without its CRC. */
    @Throws(NoAnswer::class)
    fun transceive(frame: ByteArray): ByteArray

    /** Puts the chip back to where it was when it came into the field: authentication and open transactions are gone. */
    @Throws(NoAnswer::class)
    fun reselect()
}

/** Why a frame has no answer. Android cannot tell more than these two. */
sealed class NoAnswer(message: String, cause: Exception?) : IOException(message, cause)

/** The chip left the field, or another came since. */
class TagGone(cause: Exception?) : NoAnswer("the chip left the field", cause)

/** The chip is there and refused, or the exchange was disturbed; Android has selected it anew, so it has forgotten who authenticated. */
class TagSilent(cause: Exception?) : NoAnswer("the chip did not answer", cause)

/** A chip in the field, as it introduced itself. */
class PresentTag(
    /** Seven bytes, or four that start with 08 and are new at each tap where the chip hides its own. */
    val uid: ByteArray,
    /** In the order of the air. */
    val atqa: ByteArray,
    val sak: Int,
    /** What Android gives of the answer to select of a chip that speaks ISO 14443-4, where frames are APDUs; null for all others. */
    val historicalBytes: ByteArray?,
    val link: TagLink,
)

/** Told of chips, one at a time, on a thread of the reader's own. */
interface TagListener {
    /** A chip came into the field. What is done with it is done before this returns. */
    fun onTag(tag: PresentTag)

    /** The chip of the last [onTag] left the field; the next one may be the same again. */
    fun onTagRemoved()
}
