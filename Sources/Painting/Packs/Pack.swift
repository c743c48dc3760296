import Foundation
import Weights

/// What `pack.json` says: the identity of a model pack, its files and its networks' sizes.
///
/// A pack is a folder:
///
/// ```
/// pack.json            this manifest
/// tokenizer.json       the text vocabulary that CLIP and DALL·E share
/// clip.safetensors     the critic
/// vqgan.safetensors    the picture code book: encoder, quantizer, decoder
/// dalle.safetensors    the text-to-token transformer
/// diffusion.safetensors
///                      a diffusion model of the VQGAN's latents
/// biggan.safetensors   a generator of classes
/// upscaler.safetensors what makes pictures larger
/// phrases.json         what can be found in pictures, as `PhraseBook`
/// README.md            the model card (not listed under `files`)
/// ```
///
/// and `pack.json` is
///
/// ```json
/// {
///   "schema": 1,
///   "id": "reverie-emoji",
///   "version": "1.0.0",
///   "title": "Bright little objects on plain grounds",
///   "pictureSize": 64,
///   "largestSize": 128,
///   "files": {
///     "clip.safetensors": { "size": 1234, "sha256": "64 hexadecimal digits" },
///     "vqgan.safetensors": { "size": 1234, "sha256": "…" },
///     "dalle.safetensors": { "size": 1234, "sha256": "…" },
///     "upscaler.safetensors": { "size": 1234, "sha256": "…" },
///     "tokenizer.json": { "size": 1234, "sha256": "…" }
///   },
///   "clip": { "…": "CLIP.Config as it encodes itself" },
///   "vqgan": { "…": "VQGAN.Config" },
///   "dalle": { "…": "DALLEBart.Config" },
///   "diffusion": { "…": "VDiffusion.Config" },
///   "biggan": { "…": "BigGAN.Config" },
///   "upscaler": { "…": "RRDBNet.Config" },
///   "defaults": {
///     "method": "dalle",
///     "dalle": { "candidates": 8, "conditionScale": 2, "temperature": 0.7, "topK": 50 },
///     "vqgan-clip": { "iterations": 150, "cutouts": 16, "learningRate": 0.1 }
///   },
///   "examples": ["a red fox on a blue background"]
/// }
/// ```
///
/// `clip`, `vqgan`, `dalle`, `diffusion`, `biggan`, `upscaler`, `defaults` and `examples` may be left out: a pack
/// without `dalle` and `diffusion` paints under guidance only, and one without `upscaler` enlarges by
/// resampling. A network that is described must have its file listed, and the tokenizer with it. `defaults` holds, for each method, values of the request's parameters by their JSON
/// names; they stand in for what a request leaves open. `method` is what `auto` means.
public struct PackManifest: Codable, Sendable, Equatable {
  /// The version of this format that the program reads.
  public static let currentSchema = 1

  /// Size and checksum of one file.
  public typealias File = FileRecord

  /// Version of the format, 1.
  public var schema: Int
  /// Name of the pack, the same in all its editions.
  public var id: String
  /// Edition; a picture's metadata names it.
  public var version: String
  /// One line for people.
  public var title: String
  /// Side in pixels of the pictures that the networks were trained on and DALL·E paints.
  public var pictureSize: Int
  /// Largest side in pixels at which the VQGAN is drawn with; larger requests are resampled.
  public var largestSize: Int
  /// The files by name.
  public var files: [String: File]
  /// `CLIP.Config`.
  public var clip: JSONValue?
  /// `VQGAN.Config`.
  public var vqgan: JSONValue?
  /// `DALLEBart.Config`.
  public var dalle: JSONValue?
  /// `VDiffusion.Config`.
  public var diffusion: JSONValue?
  /// `BigGAN.Config`.
  public var biggan: JSONValue?
  /// `RRDBNet.Config`.
  public var upscaler: JSONValue?
  /// `method`, and parameters by method name.
  public var defaults: [String: JSONValue]?
  /// Prompts that the pack paints well.
  public var examples: [String]?

  /// A manifest of these parts; see the fields.
  public init(
    id: String, version: String, title: String, pictureSize: Int, largestSize: Int,
    files: [String: File], clip: JSONValue? = nil, vqgan: JSONValue? = nil,
    dalle: JSONValue? = nil, diffusion: JSONValue? = nil, biggan: JSONValue? = nil,
    upscaler: JSONValue? = nil,
    defaults: [String: JSONValue]? = nil, examples: [String]? = nil
  ) {
    schema = Self.currentSchema
    self.id = id
    self.version = version
    self.title = title
    self.pictureSize = pictureSize
    self.largestSize = largestSize
    self.files = files
    self.clip = clip
    self.vqgan = vqgan
    self.dalle = dalle
    self.diffusion = diffusion
    self.biggan = biggan
    self.upscaler = upscaler
    self.defaults = defaults
    self.examples = examples
  }
}
