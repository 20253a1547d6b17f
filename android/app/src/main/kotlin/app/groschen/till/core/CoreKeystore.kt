package app.groschen.till.core

import app.groschen.core.Keystore
import app.groschen.core.PlatformException
import app.groschen.till.keys.DeviceKeystore
import app.groschen.till.keys.KeyMissing
import app.groschen.till.keys.KeyUnavailable
import app.groschen.view.KeyPlace

/** The phone's Keystore as the core wants it. */
internal class CoreKeystore(private val keys: DeviceKeystore) : Keystore {
    override fun publicKey(): ByteArray = told { keys.publicKey() }

    override fun sign(message: ByteArray): ByteArray = told { keys.sign(message) }

    override fun importAes(name: String, key: ByteArray): Boolean =
        told { keys.importChipKey(name, key) == KeyPlace.HARDWARE }

    override fun aes(name: String, block: ByteArray): ByteArray = told { keys.encryptBlock(name, block) }

    override fun forget(name: String) = told { keys.forgetChipKey(name) }

    private inline fun <T> told(action: () -> T): T = try {
        action()
    } catch (_: KeyMissing) {
        throw PlatformException.NoKey()
    } catch (refused: KeyUnavailable) {
        throw PlatformException.Refused("${refused.message}: ${refused.cause}")
    }
}
