import Foundation
import Library
import Painting
import Synchronization

extension A1111 {
  /// The settings that act here.
  struct Settings {
    /// What `sd_model_checkpoint` names, a method or an installed model.
    var method: Method.ID?
    var model: String?
    /// `samples_format`: the kind of file of pictures in answers.
    var format = "png"
    /// `jpeg_quality`.
    var quality = 80

    static let acting = ["sd_model_checkpoint", "samples_format", "jpeg_quality"]
    /// Others that clients set, with the values to which they may be set without a word.
    static let usual: [String: [JSONValue]] = [
      "CLIP_stop_at_last_layers": [.integer(1)],
      "sd_vae": [.string("Automatic"), .string("None")],
      "face_restoration_model": [.null, .string("None")],
      "sd_checkpoint_hash": [.string("")], "img2img_color_correction": [.bool(false)],
    ]

    /// Those of the given that ask for something and change nothing.
    static func idle(_ given: [String: JSONValue]) -> [String] {
      given.keys.sorted().filter { name in
        guard !acting.contains(name), let value = given[name], !value.isIdle else { return false }
        return usual[name]?.contains(value) != true
      }
    }
  }

  /// What clients have set, until the studio ends.
  final class Options: Sendable {
    private let state = Mutex<[String: JSONValue]>([:])

    var values: [String: JSONValue] { state.withLock { $0 } }

    /// Keeps those that act.
    func keep(_ given: [String: JSONValue]) {
      let acting = given.filter { Settings.acting.contains($0.key) && $0.value != .null }
      state.withLock { $0.merge(acting) { $1 } }
    }
  }

  /// - Throws: `RequestError` for a value that cannot be.
  func settings(_ values: [String: JSONValue]) throws -> Settings {
    var fields = Fields(values, .lenient)
    var settings = Settings()
    if let name = try fields.text("sd_model_checkpoint"), !JSONValue.string(name).isIdle {
      (settings.method, settings.model) = try checkpoint(name)
    }
    let format = try fields.text("samples_format") ?? "png"
    guard ["png", "jpg", "jpeg", "webp"].contains(format.lowercased()) else {
      throw RequestError.badValue(field: "samples_format", reason: "must be png, jpg or webp")
    }
    settings.format = format.lowercased()
    settings.quality = try fields.integer("jpeg_quality", in: 1...100) ?? 80
    return settings
  }

  /// The pack's title in lists.
  var title: String { "\(admission.pack.manifest.id) \(admission.pack.manifest.version)" }

  /// What a checkpoint's name stands for: the pack, where neither is said; a method; or an installed model.
  private func checkpoint(_ name: String) throws -> (Method.ID?, String?) {
    let own = [title, admission.pack.manifest.id, "pack"].map { $0.lowercased() }
    if own.contains(name.lowercased()) { return (nil, nil) }
    if let method = method(named: name) { return (method.id, nil) }
    if let (method, model) = drawing.first(where: { $0.model == name }) { return (method, model) }
    throw RequestError.badValue(
      field: "sd_model_checkpoint",
      reason: "is '\(name.prefix(80))', which is not here; see /sdapi/v1/sd-models")
  }

  /// Installed models that draw, and in which method.
  var drawing: [(method: Method.ID, model: String)] {
    let methods = admission.registry.methods.sorted {
      ($0.preference?.order ?? .max) < ($1.preference?.order ?? .max)
    }
    var found: [(method: Method.ID, model: String)] = []
    for method in methods {
      for model in admission.resolver.installed(for: method)
      where !found.contains(where: { $0.model == model }) {
        found.append((method.id, model))
      }
    }
    return found
  }

  /// All settings, as clients read them and send them back.
  var allOptions: JSONValue {
    var values: [String: JSONValue] = [
      "sd_model_checkpoint": .string(title), "samples_format": .string("png"),
      "jpeg_quality": .integer(80),
    ]
    for (name, usual) in Settings.usual { values[name] = usual[0] }
    return .object(values.merging(options.values) { $1 })
  }
}
