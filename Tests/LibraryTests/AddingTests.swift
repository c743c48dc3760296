import Foundation
import Models
import TestSupport
import Testing
import Torch
import Weights

@testable import Library

/// What people hand to `models add`.
@Suite("Adding")
struct AddingTests {
  private static let vqgan = VQGAN.Config(
    ch: 32, ch_mult: [1, 2], num_res_blocks: 1, attn_levels: [1], z_channels: 16, embed_dim: 16,
    n_embed: 40)
  private static let clip = CLIP.Config(
    embedDim: 16, vision: .init(imageSize: 16, patchSize: 8, width: 64, layers: 1),
    text: .init(contextLength: 8, vocabSize: 16, width: 64, heads: 1, layers: 1))

  private func weights(_ body: (Parameters) -> Any) -> [String: Tensor] {
    let source = Initializer(seed: 1)
    _ = body(Parameters(source))
    return Dictionary(
      uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor.detached()) })
  }

  private let folder: URL
  private let library: ModelLibrary

  init() throws {
    folder = try ScratchFolder.make("adding")
    library = ModelLibrary(store: ModelStore(folder: folder.appending(path: "models")))
  }

  private func refused(_ path: String, _ words: String) {
    let error = #expect(throws: (any Error).self) {
      try library.add([folder.appending(path: path)])
    }
    #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
    #expect(library.store.models().isEmpty)
    let left = try? FileManager.default.contentsOfDirectory(atPath: library.store.folder.path)
    #expect(left ?? [] == [], "something was copied")
  }

  @Test("what is no network is refused with what it is, before it is copied")
  func strangers() throws {
    let zeros = Tensor.zeros([2, 2])
    for (tensors, words) in [
      (["lora_unet_x.lora_down.weight": zeros, "lora_unet_x.lora_up.weight": zeros], "a LoRA"),
      ([:], "empty"), (["0": zeros, "1": zeros], "a list of 2 tensors"),
      (["state.0.exp_avg": zeros, "state.0.exp_avg_sq": zeros], "optimiser"),
      (
        weights { VQGAN($0, Self.vqgan) }.filter { !$0.key.hasPrefix("quantize.") },
        "a VQGAN without its codebook"
      ),
      (
        weights { CLIP($0, Self.clip) }.filter { !$0.key.hasPrefix("visual.") },
        "the text encoder of a CLIP alone (64 wide, 1 layer)"
      ),
    ] as [([String: Tensor], String)] {
      try SafeTensors.write(tensors, to: folder.appending(path: "x.safetensors"))
      refused("x.safetensors", words)
    }
  }

  @Test(
    "empty files and texts that are no vocabulary are refused",
    arguments: [
      ("empty.txt", "", "empty (0 bytes)"), ("x.png", "", "empty (0 bytes)"),
      ("tiny.txt", "a b\n", "only 4 bytes"), ("words.txt", "a b\nc d\ne f\n", "a text"),
      ("notes.txt", "#version: 0.2\n", "a text"),
    ])
  func texts(name: String, contents: String, words: String) throws {
    try Data(contents.utf8).write(to: folder.appending(path: name))
    refused(name, words)
  }

  /// The halves of a DALL·E transformer as min-dalle names them, with the network that draws its codes.
  private func writeMinDALLE(_ suffix: String = "") throws {
    let config = DALLEBart.Config(
      text_vocab_count: 20, text_token_count: 8, image_vocab_count: 40, image_token_count: 16,
      embed_count: 16, attention_head_count: 1, glu_embed_count: 24, encoder_layer_count: 1,
      decoder_layer_count: 1)
    let dalle = weights { DALLEBart($0, config) }
    for side in ["encoder", "decoder"] {
      let half = dalle.filter { $0.key.hasPrefix("\(side).") }
        .map { (String($0.key.dropFirst(side.count + 1)), $0.value) }
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: half),
        to: folder.appending(path: "x/\(side)\(suffix).pt"))
    }
    try Data("{}".utf8).write(to: folder.appending(path: "x/vocab\(suffix).json"))
  }

  @Test("encoder, decoder and detokenizer of min-dalle are one model with its vocabulary")
  func minDALLE() throws {
    try FileManager.default.createDirectory(
      at: folder.appending(path: "x"), withIntermediateDirectories: true)
    try writeMinDALLE()
    let detokenizer = weights { VQGANDetokenizer($0, Self.vqgan) }
    try SafeTensors.write(detokenizer, to: folder.appending(path: "x/detoker.pt"))
    let model = try library.add([folder.appending(path: "x")])
    #expect(model.record.kind == "dalle")
    #expect(model.record.components?.keys.sorted() == ["dalle-bart", "vqgan-detokenizer"])
    #expect(
      model.record.files.keys.sorted() == ["decoder.pt", "detoker.pt", "encoder.pt", "vocab.json"])
    let found = try library.component(DALLEBart.architecture, of: model.record.id)
    #expect(try found.fit()?.problem == nil && found.architecture?.id == "dalle-bart")
    // Half of it is none.
    try FileManager.default.removeItem(at: folder.appending(path: "x/encoder.pt"))
    try FileManager.default.removeItem(at: folder.appending(path: "x/detoker.pt"))
    #expect(throws: StoreError.self) {
      try library.add([folder.appending(path: "x")], .init())
    }
  }

  @Test("of the two transformers in min-dalle's repository one is added by its encoder")
  func minDALLEMini() throws {
    try FileManager.default.createDirectory(
      at: folder.appending(path: "x"), withIntermediateDirectories: true)
    for suffix in ["", "_mini"] { try writeMinDALLE(suffix) }
    refused("x", "several networks")
    let model = try library.add([folder.appending(path: "x/encoder_mini.pt")])
    #expect(
      model.record.files.keys.sorted() == ["decoder_mini.pt", "encoder_mini.pt", "vocab_mini.json"])
  }

  @Test("a vocabulary with the line of its version is one")
  func vocabulary() throws {
    let file = folder.appending(path: "bpe.txt")
    try Data("\"bpe#version: 0.2\na b\nab c\n".utf8).write(to: file)
    #expect(try library.add([file]).record.kind == .vocabulary)
  }

  @Test(
    "a folder of several networks is refused with their names; beside one, others are passed over")
  func folders() throws {
    let two = folder.appending(path: "two")
    try FileManager.default.createDirectory(at: two, withIntermediateDirectories: true)
    try SafeTensors.write(
      weights { VQGAN($0, Self.vqgan) }, to: two.appending(path: "v.safetensors"))
    try SafeTensors.write(weights { CLIP($0, Self.clip) }, to: two.appending(path: "c.safetensors"))
    refused("two", "several networks")
    try SafeTensors.write(["lora_A": Tensor.zeros([2])], to: two.appending(path: "c.safetensors"))
    try Data("not weights at all".utf8).write(to: two.appending(path: "training_args.bin"))
    let model = try library.add([two])
    #expect(model.record.kind == "vqgan")
    #expect(model.record.files.keys.sorted() == ["v.safetensors"])
  }

  @Test("a network with tensors that nobody asks for is installed")
  func besides() throws {
    var tensors = weights { VQGAN($0, Self.vqgan) }
    for (name, tensor) in tensors {
      tensors["model_ema." + name.replacing(".", with: "")] = tensor
    }
    tensors["extra.scale"] = Tensor.ones([1])
    let file = folder.appending(path: "v.safetensors")
    try SafeTensors.write(tensors, to: file)
    #expect(try library.add([file]).record.kind == "vqgan")
  }

  @Test("errors of a full disk and of folders that cannot be written are sentences")
  func disk() {
    let place = URL(filePath: "/models")
    let full = NSError(
      domain: NSCocoaErrorDomain, code: CocoaError.Code.fileWriteOutOfSpace.rawValue,
      userInfo: [
        NSUnderlyingErrorKey: NSError(domain: NSPOSIXErrorDomain, code: Int(ENOSPC))
      ])
    #expect("\(StoreError.words(full, place))".hasPrefix("There is no space left in /models"))
    let closed = NSError(
      domain: NSCocoaErrorDomain, code: CocoaError.Code.fileWriteNoPermission.rawValue,
      userInfo: [
        NSUnderlyingErrorKey: NSError(domain: NSPOSIXErrorDomain, code: Int(EACCES)),
        NSFilePathErrorKey: "/models/x",
      ])
    #expect(
      "\(StoreError.words(closed, place))"
        == "/models/x cannot be written: Permission denied. Set REVERIE_MODELS to another folder.")
    let missing = StoreError.exists(id: "x")
    #expect(StoreError.words(missing, place) as? StoreError == missing)
  }
}
