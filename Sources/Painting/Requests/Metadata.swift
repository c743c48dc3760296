import Foundation

/// The program's name and version, as metadata and help give it.
public enum Program {
  /// The name.
  public static let name = "reverie"
  /// The version.
  public static let version = "0.1.0"
}

/// What a picture's file tells about how it was painted: enough to paint it again. It holds no
/// paths, no date and no duration, so that painting again gives the same bytes.
public struct Metadata: Codable, Sendable, Equatable {
  /// Keyword of the PNG text chunk that holds this as JSON.
  public static let keyword = "reverie"
  /// Keyword of the PNG text chunk that other programs read.
  public static let infotextKeyword = "parameters"
  /// The version of this form.
  public static let currentSchema = 1

  /// A pack by name.
  public struct PackReference: Codable, Sendable, Equatable {
    /// `PackManifest.id`.
    public var id: String
    /// `PackManifest.version`.
    public var version: String

    /// The reference of an edition.
    public init(id: String, version: String) {
      self.id = id
      self.version = version
    }
  }

  /// Width and height in pixels.
  public struct Size: Codable, Sendable, Equatable {
    /// Columns.
    public var width: Int
    /// Rows.
    public var height: Int
  }

  /// Version of the form, 1.
  public var schema = Metadata.currentSchema
  /// The program, `reverie`.
  public var program = Program.name
  /// The program's version.
  public var version = Program.version
  /// The request with every field filled, and the seed of this very picture.
  public var request: Request
  /// The pack that painted.
  public var pack: PackReference
  /// Where it was computed, `cpu`.
  public var device: String
  /// The compute type.
  public var precision: String
  /// Threads of one operation; another number may give other last digits.
  public var threads: Int
  /// The version of libtorch.
  public var libtorch: String
  /// The installed models that painted, with a hash of their files each; nil when there were none.
  public var models: [String: String]?
  /// What moves; nil in a picture.
  public var film: Film?
  /// The size at which the networks painted.
  public var painted: Size
  /// How that became the size asked for: `upscaler` (by the pack's network), `lanczos`, or nil when it is
  /// the same.
  public var resampling: String?
  /// How many times larger a network made the finished picture's sides afterwards; nil where none did.
  public var enlarged: Int?
  /// The kinds of processor that painted it one after the other; nil where it was one. Painting again need not
  /// give the same bytes then.
  public var processors: [String]?

  /// As JSON with sorted keys.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// Reads what `json` wrote.
  /// - Throws: `RequestError` when it is not that.
  public init(json text: String) throws {
    let form: Form
    do {
      form = try JSONDecoder().decode(Form.self, from: Data(text.utf8))
    } catch {
      throw RequestError.notARequest("its metadata cannot be read")
    }
    guard form.program == Program.name, form.schema <= Self.currentSchema else {
      throw RequestError.notARequest("it was written by a newer version; get a newer Reverie")
    }
    do {
      self = try JSONDecoder().decode(Metadata.self, from: Data(text.utf8))
      guard enlarged.map({ (1...Engine.largestSide).contains($0) }) ?? true else {
        throw RequestError.notARequest("its metadata tells of an impossible enlargement")
      }
    } catch let error as RequestError {
      throw error
    } catch {
      throw RequestError.notARequest("its metadata lacks a field or has one of another type")
    }
  }

  init(
    request: Request, pack: PackReference, device: String, precision: String, threads: Int,
    libtorch: String, models: [String: String]? = nil, film: Film? = nil, painted: Size,
    resampling: String?
  ) {
    self.request = request
    self.pack = pack
    self.device = device
    self.precision = precision
    self.threads = threads
    self.libtorch = libtorch
    self.models = models
    self.film = film
    self.painted = painted
    self.resampling = resampling
  }

  private struct Form: Decodable {
    let schema: Int
    let program: String
  }

  /// What AUTOMATIC1111's tools and galleries read: prompt, negative prompt, then a line of `key: value`
  /// pairs.
  public var infotext: String {
    let unit = request.iterations ?? request.candidates
    var pairs: [(String, String)] = [
      ("Steps", "\(unit ?? 0)"), ("Sampler", sampler),
    ]
    if let scale = request.arguments["conditionScale"] { pairs.append(("CFG scale", scale.text)) }
    if let seed = request.seed { pairs.append(("Seed", "\(seed)")) }
    pairs.append(("Size", "\(request.width ?? 0)x\(request.height ?? 0)"))
    pairs.append(("Model", "\(pack.id) \(pack.version)"))
    if let cutouts = request.cutouts { pairs.append(("Cutouts", "\(cutouts)")) }
    if let rate = request.learningRate { pairs.append(("Learning rate", "\(rate)")) }
    for (name, argument) in [("Temperature", "temperature"), ("Top k", "topK")] {
      if let value = request.arguments[argument] { pairs.append((name, value.text)) }
    }
    pairs.append(("Version", "\(Program.name) \(version)"))
    let line = pairs.map { "\($0): \(Self.quoted($1))" }.joined(separator: ", ")
    let away = request.negativePrompt.map { "Negative prompt: \($0)" }
    return [request.prompt, away, line].compactMap(\.self).joined(separator: "\n")
  }

  /// The method as galleries know it.
  private var sampler: String {
    let method = request.method ?? .auto
    return Registry.builtIn.method(method)?.samplerName ?? method.rawValue
  }

  /// Values with the grammar's own characters stand in quotation marks.
  private static func quoted(_ value: String) -> String {
    let scalars = value.unicodeScalars
    guard scalars.contains(where: { ",:\"\\\r\n".unicodeScalars.contains($0) }) else {
      return value
    }
    let escaped = scalars.map { scalar in
      switch scalar {
      case "\\", "\"": "\\\(scalar)"
      case "\r": "\\r"
      case "\n": "\\n"
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
