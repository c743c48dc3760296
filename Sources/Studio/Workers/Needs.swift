import Foundation
import Library
import Painting
import Torch
import Weights

/// What a job needs of a worker. Jobs of the same needs are handed out in the order of the queue, through one
/// consumer.
struct Needs: Codable, Sendable, Hashable {
  /// The pack that was asked, as `id version`.
  var pack: String
  /// Installed models by name, each with what tells it from others of that name.
  var models: [String: String] = [:]
  /// Whether it makes a film, for which there must be ffmpeg.
  var film = false
  /// Whether it needs a network that makes pictures larger.
  var enlarger = false
  /// Bytes of the models' files, which must fit into a device's memory.
  var memory = 0

  /// As text that is the same for the same needs.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  init(pack: String) { self.pack = pack }

  /// Reads what `json` gave; nil where it is not that.
  init?(json: String) {
    guard let needs = try? JSONDecoder().decode(Needs.self, from: Data(json.utf8)) else {
      return nil
    }
    self = needs
  }

  /// A short name for needs given as `json`, of letters that all of NATS' names may have.
  static func name(of json: String) -> String { String(Checksum.sha256(of: json).prefix(16)) }
}

extension JobFactory {
  /// The pack as `Needs` and workers name it.
  var packName: String { Self.name(of: pack) }

  static func name(of pack: Pack) -> String { "\(pack.manifest.id) \(pack.manifest.version)" }

  /// What a job needs.
  /// - Throws: where a model that it names is not installed any more.
  func needs(of request: Request, work: JobSpec?) throws -> Needs {
    var needs = Needs(pack: packName)
    needs.models = try resolver.fingerprints(of: request)
    needs.memory = try needs.models.keys.reduce(0) { try $0 + library.store.model($1).record.size }
    switch work {
    case nil: break
    case .film: needs.film = true
    case .enlargement: needs.enlarger = true
    }
    return needs
  }
}

/// What a worker is, and what it can do.
struct WorkerDescription: Codable, Sendable, Equatable {
  /// The version of what studio and workers say to each other.
  static let currentProtocol = 1

  /// See `currentProtocol`.
  var dialect = Self.currentProtocol
  /// `Program.version`.
  var version = Program.version
  /// What it is called: its machine's name, its device, a number.
  var name: String
  /// Where it paints, `cuda:0`.
  var device: String
  /// What decides the last digits of its pixels.
  var processor: String
  /// Its pack, as `Needs` names it.
  var pack: String
  /// Installed models, as `Needs` has them.
  var models: [String: String]
  /// Bytes of memory that a job's models may take; nil where that is not known.
  var memory: Int?
  /// Whether there is ffmpeg.
  var film: Bool
  /// Whether there is a network that makes pictures larger.
  var enlarger: Bool

  /// A worker of this machine; see the fields.
  init(name: String, factory: JobFactory, threads: Int, memory: Int?, film: Bool) {
    self.name = name
    (self.memory, self.film) = (memory, film)
    device = "\(factory.device)"
    processor = Self.processor(factory.device, threads: threads)
    pack = factory.packName
    let library = factory.library
    models = library.store.models().reduce(into: [:]) { found, model in
      found[model.record.id] = try? library.fingerprint(model.record.id)
    }
    enlarger = factory.canEnlarge
  }

  /// What decides the last digits of what a device computes.
  static func processor(_ device: Device, threads: Int) -> String {
    let kind = device == .cpu ? "\(Processor.kind), \(threads) threads" : gpu(device)
    return "\(kind), libtorch \(Libtorch.version)"
  }

  /// The model of a GPU as its driver tells it; the device's name if it does not.
  private static func gpu(_ device: Device) -> String {
    let folder = "/proc/driver/nvidia/gpus"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
    let number = "\(device)".split(separator: ":").dropFirst().first.flatMap { Int($0) } ?? 0
    guard names.indices.contains(number),
      let text = try? String(
        contentsOfFile: "\(folder)/\(names[number])/information", encoding: .utf8),
      let model = text.split(separator: "\n").first(where: { $0.hasPrefix("Model:") })
    else { return "\(device)" }
    return model.dropFirst("Model:".count).trimmingCharacters(in: .whitespaces)
  }

  /// Whether it can paint a job of these needs.
  func satisfies(_ needs: Needs) -> Bool {
    needs.pack == pack && needs.models.allSatisfy { models[$0] == $1 }
      && (film || !needs.film) && (enlarger || !needs.enlarger)
      && needs.memory <= memory ?? .max
  }

  /// Why it may not paint for a studio; nil where it may.
  func objection(pack wanted: String) -> String? {
    guard dialect == Self.currentProtocol, version == Program.version else {
      return "The studio is Reverie \(Program.version), and this worker is \(version.prefix(40)). "
        + "Install the same version on both."
    }
    guard pack == wanted else {
      return
        "The studio paints with the pack '\(wanted)', and this worker has '\(pack.prefix(80))'."
        + " Give it the same one with --pack."
    }
    return nil
  }
}
