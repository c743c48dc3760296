import Foundation
import Imaging
import TestSupport
import Testing

@testable import Painting

/// `settings.txt` as Disco Diffusion's notebook writes it, and dictionaries of its parameters.
@Suite struct DiscoSettingsTests {
  /// As the notebook's `save_settings` has it, shortened.
  private static let file = #"""
    {
        "text_prompts": {
            "0": ["A beautiful painting of a lighthouse | by greg rutkowski:5", "yellow color scheme:-0.5", "fog"],
            "100": ["a sea"]
        },
        "image_prompts": {},
        "clip_guidance_scale": 5000,
        "tv_scale": 80,
        "range_scale": 150,
        "sat_scale": 50,
        "cutn_batches": 4,
        "max_frames": 10000,
        "interp_spline": "Linear",
        "init_image": null,
        "init_scale": 1000,
        "skip_steps": 10,
        "frames_scale": 1500,
        "frames_skip_steps": "60%",
        "perlin_init": false,
        "perlin_mode": "mixed",
        "skip_augs": false,
        "randomize_class": true,
        "clip_denoised": false,
        "clamp_grad": true,
        "clamp_max": 0.05,
        "seed": 2871365098,
        "fuzzy_prompt": false,
        "rand_mag": 0.05,
        "eta": 0.8,
        "width": 1280,
        "height": 770,
        "diffusion_model": "512x512_diffusion_uncond_finetune_008100",
        "use_secondary_model": true,
        "steps": 250,
        "diffusion_steps": 1000,
        "diffusion_sampling_mode": "ddim",
        "ViTB32": true, "ViTB16": true, "ViTL14": false, "RN50": true,
        "ViTB32_laion2b_e16": false,
        "cut_overview": "[12]*400+[4]*600",
        "cut_innercut": "[4]*400+[12]*600",
        "cut_ic_pow": "[1]*1000",
        "cut_icgray_p": "[0.2]*400+[0]*600",
        "key_frames": true,
        "angle": "0:(0), 50: (3)",
        "zoom": "0: (1), 10: (1.05)",
        "translation_x": "0: (2)",
        "translation_y": "0: (0)",
        "translation_z": "0: (10.0)",
        "rotation_3d_x": "0: (5)",
        "turbo_mode": false, "turbo_steps": "3", "turbo_preroll": 10,
        "use_horizontal_symmetry": false,
        "use_vertical_symmetry": false,
        "transformation_percent": [0.09]
    }
    """#

  @Test("the notebook's file is a request, and what is left out is named")
  func file() throws {
    let settings = try #require(ForeignSettings(disco: Self.file))
    #expect(settings.origin == "disco")
    let request = try settings.request()
    let words = "A beautiful painting of a lighthouse , by greg rutkowski:5"
    #expect(request.prompt == words + " | yellow color scheme:-0.5 | fog")
    #expect(request.method == .diffusion && request.seed == 2_871_365_098)
    #expect(request.width == 1280 && request.height == 768 && request.iterations == 250)
    #expect(request.cutMode == .dango && request.accumulate == 4)
    #expect(request.cutOverview == Schedule("12*400,4*600"))
    #expect(request.cutInner == Schedule("4*400,12*600") && request.cutInnerPower == 1)
    #expect(request.cutInnerGray == Schedule("0.2*400,0*600"))
    #expect(request.promptWeights == .normalized && request.augmentations == nil)
    #expect(
      request.objectives == [PartSpec("tv", weight: 0.256), PartSpec("sat", weight: 0.01)])
    #expect(
      request.arguments == [
        "guidance": .number(5000), "clampGradient": .number(0.05), "eta": .number(0.8),
        "sampler": .string("ddim"), "look": .string("blended"), "schedule": .string("ddpm"),
        "skipSteps": .integer(10),
      ])
    #expect(throws: Never.self) { try request.validate(in: .builtIn) }
    #expect(
      settings.leftOut.map(\.field) == [
        "text_prompts", "range_scale", "RN50", "diffusion_model", "use_secondary_model",
        "rotation_3d_x",
      ])
    #expect(
      settings.leftOut.contains {
        $0.text.contains("--clip openai-rn50,openai-vit-b-16,openai-vit-b-32")
      })
    let film = try Film(.zoom, settings.film)
    #expect(film.zoom == Schedule("0:1,10:1.05") && film.turn == Schedule("0:0,50:-3"))
    #expect(film.shiftX == Schedule("0:-2") && film.edges == .wrap && film.skip == 0.6)
    #expect(film.frames == nil && film.turbo == nil)
  }

  @Test("a dictionary of Python is read, and single values are what they mean here")
  func dictionary() throws {
    let text = #"""
      {  # my best
        'text_prompts': {0: ['it\'s a "fox"', 'snow:2',], 50: ["b"]},
        'clip_guidance_scale': 1e4, 'tv_scale': 0, 'cutn_batches': 2, 'steps': 100, 'skip_steps': 50,
        'perlin_init': True, 'perlin_mode': 'gray', 'skip_augs': True, 'clamp_grad': False,
        'fuzzy_prompt': True, 'rand_mag': .1, 'diffusion_sampling_mode': 'plms', 'init_image': None,
        'use_horizontal_symmetry': True, 'use_vertical_symmetry': True,
        'transformation_percent': (0.1, 0.3), 'cut_overview': [3, 3, 4], 'cut_innercut': '[0',
        'seed': 'random_seed', 'max_frames': 40, 'turbo_mode': True, 'turbo_steps': '3',
      }
      """#
    let settings = try #require(ForeignSettings(disco: text))
    let request = try settings.request()
    #expect(request.prompt == #"it's a "fox" | snow:2"# && request.seed == nil)
    #expect(
      request.iterations == 100 && request.initNoise == .discoGray && request.fuzziness == 0.1)
    #expect(request.augmentations == [] && request.cutOverview == Schedule("3*2,4*1"))
    #expect(request.cutInner == nil && settings.leftOut.contains { $0.field == "cut_innercut" })
    #expect(request["clampGradient"] == nil && request["guidance"] == .number(10_000))
    #expect(request["sampler"] == .string("guided-plms") && request["symmetry"] == .string("both"))
    #expect(request["symmetryAt"] == .array([.number(0.1), .number(0.3)]))
    #expect(request["skipSteps"] == .integer(50))
    #expect(throws: Never.self) { try request.validate(in: .builtIn) }
    let film = try Film(.zoom, settings.film)
    #expect(film.frames == 40 && film.turbo == 3)
  }

  @Test(
    "what is none, or broken, is nil or an error and no crash",
    arguments: [
      "", "{", "{}", "{'a': 1}", "text_prompts", "{'text_prompts'", "{'text_prompts': {0: ['a'}",
      "{'text_prompts': '\\u12", "{\"text_prompts\": }", "{'text_prompts': 1} x",
      "{'text_prompts': " + String(repeating: "[", count: 1000),
    ])
  func broken(_ text: String) { #expect(ForeignSettings(disco: text) == nil) }

  @Test(
    "values that do not hold are left at the usual ones",
    arguments: [
      #"{"text_prompts": {"0": ["a"]}, "steps": -5, "width": 1e99, "seed": "x", "clip_guidance_scale": 1e99}"#,
      #"{"text_prompts": {"0": ["a", 3, null], "x": []}, "skip_steps": 1e300, "steps": 1, "eta": "a"}"#,
      #"{"text_prompts": {"0": ["a:0.0001"]}, "tv_scale": 1e9, "transformation_percent": [0.5, 0.2]}"#,
    ])
  func unusual(_ text: String) throws {
    let request = try #require(ForeignSettings(disco: text)).request()
    #expect((1...1000).contains(request.iterations ?? 0) && request.width == nil)
    var plain = request
    plain.promptWeights = nil
    #expect(throws: Never.self) { try plain.validate(in: .builtIn) }
    let none = try #require(ForeignSettings(disco: #"{"text_prompts": {}}"#))
    #expect(throws: RequestError.self) { try none.request() }
  }
}
