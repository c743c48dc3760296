import EmbeddedPack
import Foundation
import Models
import Weights

/// A pack folder whose manifest has been read and found sound. Its files are checked when they are
/// loaded.
public struct Pack: Sendable {
  /// The folder.
  public let folder: URL
  /// What `pack.json` says.
  public let manifest: PackManifest
  /// CLIP's sizes, where the pack has one.
  public let clip: CLIP.Config?
  /// The VQGAN's sizes, where the pack has one.
  public let vqgan: VQGAN.Config?
  /// The transformer's sizes, where the pack has one.
  public let dalle: DALLEBart.Config?
  /// The diffusion model's sizes, where the pack has one.
  public let diffusion: VDiffusion.Config?
  /// The sizes of the generator of classes, where the pack has one.
  public let biggan: BigGAN.Config?
  /// The sizes of the network that enlarges, where the pack has one.
  public let upscaler: RRDBNet.Config?

  /// Reads and checks `pack.json`.
  /// - Throws: `PaintingError.badPack`.
  public init(folder: URL) throws {
    let url = folder.appending(path: "pack.json")
    func bad(_ reason: String) -> PaintingError { .badPack(path: folder.path, reason: reason) }
    guard let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
    else {
      throw bad("it has no readable pack.json")
    }
    guard size <= 1 << 20 else { throw bad("its pack.json is larger than a megabyte") }
    guard let data = try? Data(contentsOf: url) else {
      throw bad("its pack.json cannot be read")
    }
    do {
      manifest = try JSONDecoder().decode(PackManifest.self, from: data)
      clip = try Self.config(CLIP.Config.self, manifest.clip, "clip")
      vqgan = try Self.config(VQGAN.Config.self, manifest.vqgan, "vqgan")
      dalle = try Self.config(DALLEBart.Config.self, manifest.dalle, "dalle")
      diffusion = try Self.config(VDiffusion.Config.self, manifest.diffusion, "diffusion")
      biggan = try Self.config(BigGAN.Config.self, manifest.biggan, "biggan")
      upscaler = try Self.config(RRDBNet.Config.self, manifest.upscaler, "upscaler")
    } catch let error as DecodingError {
      throw bad("in its pack.json " + Self.words(error))
    } catch {
      throw bad("\(error)")
    }
    self.folder = folder
    if let problem = manifest.problem ?? networkProblem() { throw bad(problem) }
  }

  /// Whether the pack has all that `method` needs.
  public func has(_ method: Method) -> Bool { lacking(method) == nil }

  /// What `method` needs and the pack lacks.
  func lacking(_ method: Method) -> String? {
    if clip == nil { return "CLIP" }
    if method == .dalle {
      return vqgan == nil ? "VQGAN" : dalle == nil ? "DALL·E transformer" : nil
    }
    // What no pack has is looked for among the installed models.
    return method.drawer?.needs == .vqgan && vqgan == nil ? "VQGAN" : nil
  }

  /// The file `name`, after its size and checksum were found right.
  /// - Throws: `PaintingError.badPackFile` naming the file.
  func checkedFile(_ name: String) throws -> URL {
    let url = folder.appending(path: name)
    guard let file = manifest.files[name] else {
      throw PaintingError.badPackFile(path: url.path, reason: "is not listed in pack.json")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    guard let size = attributes?[.size] as? Int else {
      throw PaintingError.badPackFile(path: url.path, reason: "is missing or cannot be read")
    }
    guard size == file.size else {
      throw PaintingError.badPackFile(
        path: url.path, reason: "has \(size) bytes where \(file.size) are expected")
    }
    guard try Checksum.sha256(of: url) == file.sha256.lowercased() else {
      throw PaintingError.badPackFile(
        path: url.path, reason: "is damaged: its SHA-256 is not the one in pack.json")
    }
    return url
  }

  // MARK: Reading

  private static func config<Config: Decodable>(
    _ type: Config.Type, _ value: JSONValue?, _ key: String
  ) throws -> Config? {
    guard let value else { return nil }
    do {
      return try JSONDecoder().decode(type, from: JSONEncoder().encode(value))
    } catch let error as DecodingError {
      throw PackProblem("in '\(key)' of its pack.json " + words(error))
    } catch {
      throw PackProblem("\(error)")
    }
  }

  private static func words(_ error: DecodingError) -> String {
    func path(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "the document" : "'\(path)'"
    }
    return switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "\(path(context)) is of another type than it should be"
    case .dataCorrupted(let context): "\(path(context)) is not valid"
    @unknown default: "something is not valid"
    }
  }
}

/// A reason, to be wrapped in `PaintingError.badPack`.
struct PackProblem: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

// MARK: - Soundness

extension PackManifest {
  /// What is wrong with the manifest by itself; nil when nothing is.
  var problem: String? {
    guard schema == Self.currentSchema else {
      return "its pack.json has schema \(schema), and this program reads \(Self.currentSchema)"
    }
    guard (16...4096).contains(pictureSize), (16...4096).contains(largestSize) else {
      return "'pictureSize' and 'largestSize' must be from 16 to 4096"
    }
    for (name, file) in files {
      guard !name.contains("/"), !name.contains("\0"), !name.hasPrefix("."), !name.isEmpty else {
        return "it lists a file with the name '\(name.prefix(40))'"
      }
      guard file.size >= 0, file.sha256.count == 64, file.sha256.allSatisfy(\.isHexDigit) else {
        return "size or sha256 of '\(name)' is not valid"
      }
    }
    let needed = [
      ("clip", clip), ("vqgan", vqgan), ("dalle", dalle), ("diffusion", diffusion),
      ("biggan", biggan),
      ("upscaler", upscaler),
    ]
    for case (let name, _?) in needed where files["\(name).safetensors"] == nil {
      return "it describes \(name) but does not list \(name).safetensors"
    }
    if clip != nil || dalle != nil, files["tokenizer.json"] == nil {
      return "it does not list tokenizer.json"
    }
    return nil
  }
}

extension Pack {
  /// What is wrong with the networks' sizes, which would otherwise surface as a trap deep inside.
  private func networkProblem() -> String? {
    if let vqgan, let problem = vqgan.problem.map({ "under 'vqgan' of its pack.json \($0)" }) {
      return problem
    }
    if let dalle, let problem = dalle.problem.map({ "under 'dalle' of its pack.json \($0)" }) {
      return problem
    }
    if let upscaler, upscaler.problem != nil || upscaler.scale != 2 {
      return "under 'upscaler' of its pack.json the sizes make no network that doubles"
    }
    if let biggan, let problem = biggan.problem {
      return "under 'biggan' of its pack.json \(problem)"
    }
    if let diffusion, let problem = problem(of: diffusion) { return problem }
    guard let dalle else { return nil }
    guard let vqgan else { return "it has a DALL·E transformer without a VQGAN" }
    let side = Int(Double(dalle.image_token_count).squareRoot())
    guard
      dalle.image_vocab_count == vqgan.n_embed, dalle.levels == vqgan.levels,
      side * side == dalle.image_token_count, side * vqgan.factor == manifest.pictureSize
    else {
      return "the codes of its DALL·E transformer are not those of its VQGAN"
    }
    return nil
  }
}

extension Pack {
  /// What is wrong with a diffusion model of this pack.
  private func problem(of diffusion: VDiffusion.Config) -> String? {
    if let problem = diffusion.problem { return "under 'diffusion' of its pack.json \(problem)" }
    guard let vqgan, diffusion.channels == vqgan.embed_dim else {
      return "its diffusion model draws latents that are not its VQGAN's"
    }
    guard (16...4096).contains(diffusion.size * vqgan.factor) else {
      return
        "its diffusion model draws pictures of \(diffusion.size * vqgan.factor) pixels a side, "
        + "and they must have 16 to 4096"
    }
    if let condition = diffusion.condition, condition.embedding != clip?.embedDim {
      return "its diffusion model is told embeddings that are not its CLIP's"
    }
    return nil
  }
}

extension Pack {
  /// The folder of the pack that ships with the program.
  public static var embedded: URL { EmbeddedPack.folder }
}
