import Commands
import Library
import Painting
import Torch

/// What paints a picture, or a film, once more as its file tells.
struct Repainting {
  let metadata: Metadata
  let request: Request
  let attachments: Attachments
  let engine: Engine

  /// - Parameters:
  ///   - precision: another than it was painted in.
  ///   - places: where the files may lie that it was painted with.
  ///   - quiet: does not tell what differs from then.
  init(
    _ metadata: Metadata, precision: Request.Precision? = nil, places: FilePlaces,
    execution: ExecutionOptions, quiet: Bool
  ) throws {
    self.metadata = metadata
    var request = metadata.request
    if let precision { request.precision = precision }
    self.request = request
    attachments = try places.attachments(request.references + (metadata.film?.source ?? []))
    let pack = try execution.openPack()
    let device = try Self.device(metadata, execution)
    if !quiet { Self.warn(metadata, pack, device) }
    engine = try execution.engine(
      pack, device: device, threads: execution.threads ?? max(1, min(1024, metadata.threads)))
  }

  private static func device(_ metadata: Metadata, _ execution: ExecutionOptions) throws -> Device {
    if execution.device != nil { return try execution.resolvedDevice() }
    let painted = Device(metadata.device) ?? .cpu
    return painted == .cpu || Device.available.contains(painted) ? painted : .best
  }

  private static func warn(_ metadata: Metadata, _ pack: Pack, _ device: Device) {
    func note(_ what: String, _ then: String, _ now: String) {
      guard then != now else { return }
      Console.say(
        "Note: it was painted with \(what) \(then), this is \(now); the picture may differ.")
    }
    note(
      "the pack", "\(metadata.pack.id) \(metadata.pack.version)",
      "\(pack.manifest.id) \(pack.manifest.version)")
    for (id, then) in (metadata.models ?? [:]).sorted(by: { $0.key < $1.key }) {
      // One that is not installed is told when it is to paint.
      guard let now = try? ModelLibrary().fingerprint(id), now != then else { continue }
      Console.say(
        "Note: it was painted with another model '\(id)' than is installed; the picture may differ."
      )
    }
    if let scale = metadata.enlarged {
      Console.say(
        "Note: it was enlarged afterwards; do so with reverie upscale --scale \(scale).")
    }
    note("libtorch", metadata.libtorch, Libtorch.version)
    note("the device", metadata.device, "\(device)")
  }
}
