import Foundation
import Library
import Models
import Weights

/// What `pack.json` says: the identity of a model pack, its files and its networks' sizes.
///
/// A pack is a folder:
///
/// ```
/// pack.json            this manifest
/// tokenizer.json       the text vocabulary that its networks share
/// clip.safetensors     and other files of weights
/// phrases.json         what can be found in pictures, as `PhraseBook`
/// README.md            the model card (not listed under `files`)
/// ```
///
/// and `pack.json` is
///
/// ```json
/// {
///   "schema": 2,
///   "id": "reverie-emoji",
///   "version": "1.0.0",
///   "title": "Bright little objects on plain grounds",
///   "pictureSize": 64,
///   "largestSize": 128,
///   "files": {
///     "clip.safetensors": { "size": 1234, "sha256": "64 hexadecimal digits" },
///     "tokenizer.json": { "size": 1234, "sha256": "…" }
///   },
///   "networks": {
///     "clip": { "file": "clip.safetensors", "config": { "…": "as the network's Config encodes itself" } }
///   },
///   "defaults": {
///     "method": "fft",
///     "fft": { "iterations": 150, "cutouts": 16, "learningRate": 0.1 }
///   },
///   "examples": ["a red fox on a blue background"]
/// }
/// ```
///
/// `networks` has each network under its architecture's name. What a pack lacks its methods lack. The files
/// of networks must be listed, and the tokenizer with them. `defaults` holds, for each method, values of the
/// request's parameters by their JSON names; they stand in for what a request leaves open, where the pack's
/// own networks draw. `method` is what `auto` asks first. `defaults` and `examples` may be left out.
///
/// Of schema 1 each network's sizes stand at the top under a name of their own, and its file has that name.
public struct PackManifest: Codable, Sendable, Equatable {
  /// The version of this format that the program writes; it reads earlier ones.
  public static let currentSchema = 2

  /// Size and checksum of one file.
  public typealias File = FileRecord

  /// A network of the pack.
  public struct Network: Codable, Sendable, Equatable {
    /// Its file, in the pack's folder.
    public var file: String
    /// Its sizes, as its configuration encodes itself.
    public var config: JSONValue

    /// A network; see the fields.
    public init(file: String, config: JSONValue) { (self.file, self.config) = (file, config) }
  }

  /// Version of the format.
  public var schema: Int
  /// Name of the pack, the same in all its editions.
  public var id: String
  /// Edition; a picture's metadata names it.
  public var version: String
  /// One line for people.
  public var title: String
  /// Side in pixels of the pictures that the networks were trained on.
  public var pictureSize: Int
  /// Largest side in pixels at which its decoder of codes is drawn with; larger requests are resampled.
  public var largestSize: Int
  /// The files by name.
  public var files: [String: File]
  /// The networks by their architecture's name.
  public var networks: [Architecture.ID: Network]
  /// `method`, and parameters by method name.
  public var defaults: [String: JSONValue]?
  /// Prompts that the pack paints well.
  public var examples: [String]?

  /// A manifest of these parts; see the fields.
  public init(
    id: String, version: String, title: String, pictureSize: Int, largestSize: Int,
    files: [String: File], networks: [Architecture.ID: Network] = [:],
    defaults: [String: JSONValue]? = nil, examples: [String]? = nil
  ) {
    schema = Self.currentSchema
    self.id = id
    self.version = version
    self.title = title
    self.pictureSize = pictureSize
    self.largestSize = largestSize
    self.files = files
    self.networks = networks
    self.defaults = defaults
    self.examples = examples
  }

  /// Reads a manifest of this schema or an earlier one.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    schema = try values.decode(Int.self, forKey: .schema)
    id = try values.decode(String.self, forKey: .id)
    version = try values.decode(String.self, forKey: .version)
    title = try values.decode(String.self, forKey: .title)
    pictureSize = try values.decode(Int.self, forKey: .pictureSize)
    largestSize = try values.decode(Int.self, forKey: .largestSize)
    files = try values.decode([String: File].self, forKey: .files)
    defaults = try values.decodeIfPresent([String: JSONValue].self, forKey: .defaults)
    examples = try values.decodeIfPresent([String].self, forKey: .examples)
    guard schema < 2 else {
      networks = try values.decode([Architecture.ID: Network].self, forKey: .networks)
      return
    }
    let old = try decoder.singleValueContainer().decode([String: JSONValue].self)
    networks = Self.namesOfSchema1.reduce(into: [:]) { networks, names in
      guard let config = old[names.key], config != .null else { return }
      networks[names.value] = Network(file: "\(names.key).safetensors", config: config)
    }
  }

  /// What networks were called before they had their architecture's name.
  private static let namesOfSchema1: [String: Architecture.ID] = [
    "clip": "clip", "vqgan": "vqgan", "dalle": "dalle-bart", "diffusion": "v-diffusion",
    "biggan": "biggan", "upscaler": "rrdbnet",
  ]
}
